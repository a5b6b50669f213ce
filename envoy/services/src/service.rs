//! Which services there are.

use axum::{Router, http::StatusCode};

use crate::{
    auth, catalog, details, gateway, httpbin, instance::Instance, outbound::Outbound, payment, productpage, ratings,
    reviews, uc, webapp,
};

/// A service of the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Productpage,
    Details,
    Reviews,
    Ratings,
    KimGateway,
    KimPayment,
    KimUc,
    KimAuth,
    Webapp,
    Catalog,
    Httpbin,
}

impl Service {
    pub const ALL: [Service; 11] = [
        Service::Productpage,
        Service::Details,
        Service::Reviews,
        Service::Ratings,
        Service::KimGateway,
        Service::KimPayment,
        Service::KimUc,
        Service::KimAuth,
        Service::Webapp,
        Service::Catalog,
        Service::Httpbin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Service::Productpage => "productpage",
            Service::Details => "details",
            Service::Reviews => "reviews",
            Service::Ratings => "ratings",
            Service::KimGateway => "kim-gateway",
            Service::KimPayment => "kim-payment-service",
            Service::KimUc => "kim-uc-service",
            Service::KimAuth => "kim-auth-service",
            Service::Webapp => "webapp",
            Service::Catalog => "catalog",
            Service::Httpbin => "httpbin",
        }
    }

    /// The versions that differ in what they do; empty where a version is only a label.
    pub fn versions(self) -> &'static [&'static str] {
        match self {
            Service::Reviews => &["v1", "v2", "v3"],
            Service::KimPayment | Service::Catalog => &["v1", "v2"],
            _ => &[],
        }
    }
}

/// What an instance answers, without what all services do alike.
pub fn router(instance: &Instance) -> Router {
    let outbound = Outbound::new(instance.via.clone(), instance.timeout);
    let version = instance.version.as_str();
    let router = match instance.service {
        Service::Productpage => productpage::router(&instance.id, outbound),
        Service::Details => details::router(),
        Service::Reviews => reviews::router(&instance.id, version, outbound),
        Service::Ratings => ratings::router(),
        Service::KimGateway => gateway::router(outbound),
        Service::KimPayment => payment::router(version, outbound),
        Service::KimUc => uc::router(),
        Service::KimAuth => auth::router(),
        Service::Webapp => webapp::router(outbound),
        Service::Catalog => catalog::router(version),
        Service::Httpbin => httpbin::router(),
    };
    router.fallback(async || (StatusCode::NOT_FOUND, "no such path\n"))
}
