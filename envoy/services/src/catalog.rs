//! catalog: what the shop sells; v2 adds pictures.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

/// One entry of what `GET /items` answers.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: u32,
    color: &'static str,
    department: &'static str,
    name: &'static str,
    price: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
}

const ITEMS: [(&str, &str, &str, &str); 4] = [
    ("amber", "Eyewear", "Round Reading Glasses", "282.00"),
    ("cyan", "Clothing", "Sailor's Smock", "97.00"),
    ("teal", "Watches", "Field Watch", "232.00"),
    ("red", "Shoes", "Canvas Trainers", "62.00"),
];

pub fn router(version: &str) -> Router {
    let with_pictures = version == "v2";
    let items = (1..).zip(ITEMS).map(|(id, (color, department, name, price))| Item {
        id,
        color,
        department,
        name,
        price,
        image_url: with_pictures.then(|| format!("http://images.example/{id}.jpg")),
    });
    Router::new().route("/items", get(list)).with_state(items.collect())
}

async fn list(State(items): State<Vec<Item>>) -> Json<Vec<Item>> {
    Json(items)
}
