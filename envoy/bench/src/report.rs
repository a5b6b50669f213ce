//! The results for people.

use comfy_table::{CellAlignment, Table, presets};

use crate::features::Late;
use crate::measure::{BySide, Figures, Series};
use crate::results::{Results, pair};
use crate::site::Side;

/// Tables of everything.
pub fn text(results: &Results) -> String {
    let mut text = format!("{}, {}, seed {}\n", results.envoy, results.date, results.seed);
    if !results.routes.is_empty() {
        text += &section(
            "CPU a request in microseconds, by shape, rules and the rule that takes it",
            routes(results),
        );
    }
    if results.features.is_some() {
        text += &section("Beyond a choice", features(results));
    }
    if !results.configuration.is_empty() {
        text += &section(
            "A new configuration, for the worker that serves meanwhile",
            configuration(results),
        );
    }
    text + &section(
        "What it should come to (the spread is over the rounds)",
        targets(results),
    )
}

fn section(title: &str, table: Table) -> String {
    format!("\n{title}\n{}\n", table.trim_fmt())
}

fn table(header: &[&str], words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.to_vec());
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn routes(results: &Results) -> Table {
    let header = [
        "shape",
        "rules",
        "rule",
        "plain",
        "no-op",
        "native",
        "switchyard",
        "ratio",
        "spread",
        "native/s",
        "switchyard/s",
        "p50 ms",
        "p99 ms",
    ];
    let mut table = table(&header, 1);
    for row in &results.routes {
        let Some((native, own)) = pair(&row.sides) else {
            continue;
        };
        let cpu = |side| {
            let figures = row.sides.get(&side);
            figures.map_or(String::new(), |figures| format!("{:.1}", figures.cpu_us.median()))
        };
        let (ratio, spread) = ratio(&own.cpu_us, &native.cpu_us);
        let two = |figure: &dyn Fn(&Figures) -> f64| format!("{:.2} / {:.2}", figure(native), figure(own));
        table.add_row([
            row.shape.to_owned(),
            row.rules.to_string(),
            row.rule.name().to_owned(),
            cpu(Side::Plain),
            cpu(Side::Noop),
            cpu(Side::Native),
            cpu(Side::Switchyard),
            ratio,
            spread,
            format!("{:.0}", native.rate.median()),
            format!("{:.0}", own.rate.median()),
            two(&|figures| figures.p50_ms.median()),
            two(&|figures| figures.p99_ms.median()),
        ]);
    }
    table
}

fn features(results: &Results) -> Table {
    let mut table = table(&["what", "native", "switchyard", "ratio", "spread"], 1);
    let Some(features) = &results.features else {
        return table;
    };
    let at = format!("p99 ms at {:.0} requests/s", features.tail_rate);
    type Figure = fn(&Figures) -> &Series;
    const PAIR: [Side; 2] = [Side::Native, Side::Switchyard];
    let rows: [(&str, &BySide, [Side; 2], Figure); 6] = [
        ("CPU us, mirrored", &features.mirror, PAIR, |figures| &figures.cpu_us),
        (
            "CPU us, mirrored (native copies)",
            &features.mirror,
            [Side::Native, Side::Mirrors],
            |figures| &figures.cpu_us,
        ),
        ("CPU us, headers changed", &features.headers, PAIR, |figures| {
            &figures.cpu_us
        }),
        ("p50 ms at that rate", &features.tail, PAIR, |figures| &figures.p50_ms),
        (&at, &features.tail, PAIR, |figures| &figures.p99_ms),
        (
            "  no filter / no-op filter",
            &features.tail,
            [Side::Plain, Side::Noop],
            |figures| &figures.p99_ms,
        ),
    ];
    for (what, sides, [native, own], figure) in rows {
        if let (Some(native), Some(own)) = (sides.get(&native), sides.get(&own)) {
            let (native, own) = (figure(native), figure(own));
            let (ratio, spread) = ratio(own, native);
            let median = |series: &Series| format!("{:.2}", series.median());
            table.add_row([what.to_owned(), median(native), median(own), ratio, spread]);
        }
    }
    for delay in &features.delays {
        let Some((native, own)) = pair(&delay.late) else {
            continue;
        };
        let (ratio, spread) = ratio(&own.error, &native.error);
        let error = |late: &Late| format!("{:.2}", late.error.median());
        table.add_row([
            format!("ms off, a {} ms delay", delay.milliseconds),
            error(native),
            error(own),
            ratio,
            spread,
        ]);
        let earliest = |late: &Late| late.earliest.spread().0;
        table.add_row([
            "  too late".to_owned(),
            format!("{:.2}", native.median.median()),
            format!("{:.2}", own.median.median()),
            String::new(),
            format!("earliest {:.1} / {:.1}", earliest(native), earliest(own)),
        ]);
    }
    table
}

fn configuration(results: &Results) -> Table {
    let header = [
        "shape",
        "rules",
        "JSON KB",
        "from nothing ms",
        "one rule changed ms",
        "longest gap ms",
        "calm ms",
        "MB a worker",
    ];
    let mut table = table(&header, 1);
    for row in &results.configuration {
        let series = |series: &Series| format!("{:.0} ({})", series.median(), spread(series));
        table.add_row([
            row.shape.to_owned(),
            row.rules.to_string(),
            format!("{:.0}", row.json_kb),
            series(&row.load_ms),
            series(&row.change_ms),
            series(&row.gap_ms),
            series(&row.calm_ms),
            format!("{:.0}", row.worker_mb),
        ]);
    }
    table
}

fn targets(results: &Results) -> Table {
    let mut table = table(&["figure", "measured", "spread", "at least", "aim", ""], 1);
    for target in &results.targets {
        let number = |value: f64| match target.unit {
            "" => format!("{value:.2}"),
            "ms" if value.abs() < 10.0 => format!("{value:.2} ms"),
            unit => format!("{value:.0} {unit}"),
        };
        let verdict = match (target.holds(), target.is_reached()) {
            (false, _) => "MISSED",
            (true, false) => "holds",
            (true, true) => "holds, aim reached",
        };
        let (least, most) = target.spread;
        table.add_row([
            target.figure.clone(),
            number(target.measured),
            format!("{least:.2} to {most:.2}"),
            number(target.at_least),
            number(target.aim),
            verdict.to_owned(),
        ]);
    }
    table
}

fn ratio(own: &Series, other: &Series) -> (String, String) {
    let rounds = own.with(other, |own, other| own / other);
    let (least, most) = rounds.spread();
    (
        format!("{:.2}", own.median() / other.median()),
        format!("{least:.2} to {most:.2}"),
    )
}

fn spread(series: &Series) -> String {
    let (least, most) = series.spread();
    format!("{least:.0} to {most:.0}")
}
