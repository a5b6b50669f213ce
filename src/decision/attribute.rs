//! What a decision itself knows of what formats ask for.

use crate::action::alt_stat_name;
use crate::decision::Routed;
use crate::header::format::Attribute;
use crate::request::Request;

impl Routed {
    /// What Envoy's router knows before an upstream has answered; of the rest `proxy` tells.
    pub(super) fn before_response(
        &self,
        request: &Request,
        proxy: &dyn Fn(Attribute) -> Option<Vec<u8>>,
    ) -> impl Fn(Attribute) -> Option<Vec<u8>> {
        move |wanted| match wanted {
            Attribute::RouteName => Some(self.route_name()),
            Attribute::UpstreamCluster => self.cluster_name(request),
            Attribute::UpstreamHost => None,
            Attribute::ResponseCode => Some(b"0".to_vec()),
            wanted => proxy(wanted),
        }
    }

    /// The same of a request that went to the router. There, `proxy` tells whether there is the chosen cluster.
    pub(super) fn after_response(
        &self,
        request: &Request,
        proxy: &dyn Fn(Attribute) -> Option<Vec<u8>>,
    ) -> impl Fn(Attribute) -> Option<Vec<u8>> {
        move |wanted| match wanted {
            Attribute::RouteName => Some(self.route_name()),
            Attribute::UpstreamCluster => proxy(wanted).and_then(|_| self.cluster_name(request)),
            wanted => proxy(wanted),
        }
    }

    fn route_name(&self) -> Vec<u8> {
        self.route.rule.name.as_bytes().to_vec()
    }

    /// As statistics have it: that is what Envoy fills in.
    fn cluster_name(&self, request: &Request) -> Option<Vec<u8>> {
        let name = self.cluster()?.cluster.name(|| request.port());
        Some(alt_stat_name(&name).into_bytes())
    }
}
