//! CPU a request against the number of rules, both sides, as SVG.

use crate::results::Results;
use crate::routes::Rule;
use crate::site::Side;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
/// Left, top, right, bottom.
const MARGINS: (f64, f64, f64, f64) = (64.0, 48.0, 132.0, 52.0);
const COLOURS: [&str; 5] = ["#1f6feb", "#d1242f", "#8250df", "#1a7f37", "#bf8700"];
/// The axes' ends: rules, microseconds.
const RULES: (f64, f64) = (2.0, 10_000.0);
const MICROSECONDS: (f64, f64) = (20.0, 20_000.0);

/// The picture. Both axes are logarithmic.
pub fn svg(results: &Results) -> String {
    let mut shapes: Vec<&str> = results.routes.iter().map(|row| row.shape).collect();
    shapes.dedup();
    let mut body = axes();
    let mut ends: Vec<(f64, String, &str)> = Vec::new();
    for (shape, colour) in shapes.iter().zip(COLOURS) {
        for side in [Side::Native, Side::Switchyard] {
            let points: Vec<(f64, f64)> = results
                .routes
                .iter()
                .filter(|row| row.shape == *shape && row.rule == Rule::Last)
                .filter_map(|row| Some((x(row.rules as f64), y(row.sides.get(&side)?.cpu_us.median()))))
                .collect();
            let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let dash = if side == Side::Native {
                r#" stroke-dasharray="6 4""#
            } else {
                ""
            };
            body += &format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\n",
                line.join(" ")
            );
            for (x, y) in &points {
                body += &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>\n");
            }
            if let Some((_, y)) = points.last() {
                let of = if side == Side::Native { "istiod" } else { "switchyard" };
                ends.push((*y, format!("{shape}, {of}"), colour));
            }
        }
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = 0.0;
    for (y, label, colour) in ends {
        let y = f64::max(y, free);
        free = y + 14.0;
        body += &text(WIDTH - MARGINS.2 + 8.0, y + 4.0, "start", &label, colour);
    }
    let title = format!(
        "CPU a request, last rule of n: {}, {}",
        results.envoy,
        results.date.get(..10).unwrap_or_default()
    );
    body += &text(MARGINS.0, 24.0, "start", &title, "#24292f");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

fn axes() -> String {
    let (left, top, right, bottom) = (MARGINS.0, MARGINS.1, WIDTH - MARGINS.2, HEIGHT - MARGINS.3);
    let mut lines = String::new();
    let mut line = |x1: f64, y1: f64, x2: f64, y2: f64| {
        lines += &format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#d0d7de\"/>\n");
    };
    let rules = [2.0, 10.0, 100.0, 1_000.0, 10_000.0];
    let costs = [
        20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0,
    ];
    rules.iter().for_each(|count| line(x(*count), top, x(*count), bottom));
    costs.iter().for_each(|cost| line(left, y(*cost), right, y(*cost)));
    for count in rules {
        lines += &text(x(count), bottom + 18.0, "middle", &format!("{count}"), "#57606a");
    }
    for cost in costs {
        lines += &text(left - 8.0, y(cost) + 4.0, "end", &format!("{cost}"), "#57606a");
    }
    lines += &text((left + right) / 2.0, bottom + 38.0, "middle", "rules", "#57606a");
    lines + &text(left - 8.0, top - 8.0, "end", "us", "#57606a")
}

fn text(x: f64, y: f64, anchor: &str, text: &str, colour: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>\n")
}

fn x(rules: f64) -> f64 {
    MARGINS.0 + share(rules, RULES) * (WIDTH - MARGINS.0 - MARGINS.2)
}

fn y(microseconds: f64) -> f64 {
    HEIGHT - MARGINS.3 - share(microseconds, MICROSECONDS) * (HEIGHT - MARGINS.1 - MARGINS.3)
}

/// Where a value lies between two, logarithmically.
fn share(value: f64, (from, to): (f64, f64)) -> f64 {
    (value / from).ln() / (to / from).ln()
}
