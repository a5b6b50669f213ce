//! One request.

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use switchyard::action::hash_policy::HashKey;
use switchyard::decision::local_reply::LocalReply;
use switchyard::decision::upstream_request::remove_reserved;
use switchyard::decision::{Decision, Routed, decide};
use switchyard::dice::Dice;
use switchyard::explain::compact;
use switchyard::header::edits::{HeaderEdit, HeaderEdits};
use switchyard::header::map::HeaderMap;
use switchyard::plugin::filter_state;
use switchyard::request::Request;

use crate::copies::Copies;
use crate::host;
use crate::metrics::{Counter, RouteMetrics};
use crate::mirrors::Mirror;
use crate::response::ResponsePart;
use crate::shared::{Shared, Then};

/// The context of one request. Most requests leave nothing in it.
pub struct Stream {
    id: u32,
    shared: Rc<Shared>,
    /// Whether it has been in the queue of those that wait.
    waited: bool,
    /// What the response needs, where it needs anything.
    response: Option<Box<ResponsePart>>,
    /// What is to be copied once the body is whole.
    copies: Option<Box<Copies>>,
    /// What the response says of the decision, where the request asks for it.
    explanation: Option<Box<str>>,
}

// What few requests need is not inlined: what each of them runs through then lies close together.
impl Stream {
    /// A request that has said nothing yet.
    pub fn new(id: u32, shared: Rc<Shared>) -> Self {
        shared.enter();
        Stream {
            id,
            shared,
            waited: false,
            response: None,
            copies: None,
            explanation: None,
        }
    }

    /// As Envoy's own filter: beyond the bound a request gets no fault at all.
    fn bound_faults(&self, routed: &mut Routed) {
        if (routed.delay.is_some() || routed.abort.is_some()) && !self.shared.may_wait() {
            (routed.delay, routed.abort) = (None, None);
            self.shared.metrics.faults_overflow.increment();
        }
    }

    /// Takes out the header that asks for an explanation, before anything sees it; whether it was there.
    fn takes_question(&self, headers: &mut HeaderMap) -> bool {
        let name = self.shared.plugin.options.explain_header.as_deref();
        let Some(name) = name.filter(|name| headers.get(name).is_some()) else {
            return false;
        };
        headers.remove(name);
        host::edit_request(&[HeaderEdit::Remove(name.into())]);
        true
    }

    fn explain(&mut self, request: &Request, decision: &Decision) {
        let explanation = compact(&self.shared.plugin.table, request, decision);
        if self.shared.plugin.options.filter_state {
            host::set_filter_state(filter_state::EXPLANATION, explanation.as_bytes());
        }
        self.explanation = Some(explanation.into());
    }

    /// Counts, and leaves word for access logs where there are some.
    fn tell(&self, routed: &Routed, metrics: &RouteMetrics, mirrored: bool) {
        metrics.requests(routed.destination).increment();
        if routed.delay.is_some() {
            metrics.delays_injected.increment();
        }
        if self.shared.plugin.options.filter_state {
            note(routed, metrics, mirrored);
        }
    }

    fn route(&mut self, routed: Routed, request: &Request, end_of_stream: bool) -> Action {
        let metrics = self.shared.metrics.of(&routed.route);
        let mut edits = routed.request_edits(request, &host::attribute);
        if routed.is_answered_here()
            && let Some(reply) = routed.local_reply(request, &host::attribute)
        {
            host::edit_request(&edits.into_edits());
            self.tell(&routed, &metrics, false);
            let aborts = routed.abort.map_or(Counter::default(), |_| metrics.aborts_injected);
            return self.answer(reply, routed.delay, aborts);
        }
        let is_copied = routed.mirrors().next().is_some() && self.may_copy(&routed, request);
        let mut mirrors = Vec::new();
        if is_copied {
            mirrors = self.mirrors(&routed, &metrics, request, &mut edits);
        }
        host::edit_request(&edits.into_edits());
        self.tell(&routed, &metrics, is_copied);
        let set_cookies = hash(&routed, request, &self.shared);
        let delay = routed.delay;
        if routed.concerns_response() || !set_cookies.is_empty() {
            self.expect_response(routed, request, set_cookies);
        }
        if delay.is_none() && mirrors.is_empty() {
            return Action::Continue;
        }
        self.go_on(mirrors, delay, end_of_stream)
    }

    #[inline(never)]
    fn answer(&mut self, reply: LocalReply, delay: Option<Duration>, aborts: Counter) -> Action {
        match delay {
            Some(delay) => self.wait(delay, Then::Reply(reply, aborts)),
            None => {
                host::reply(&reply);
                aborts.increment();
                Action::Pause
            }
        }
    }

    #[inline(never)]
    fn expect_response(&mut self, routed: Routed, request: &Request, set_cookies: Vec<String>) {
        self.response = Some(Box::new(ResponsePart {
            routed,
            request: HeaderMap::default(),
            came_to: request.came_to,
            set_cookies,
        }));
    }

    /// Upstream, once it has waited, with copies.
    #[inline(never)]
    fn go_on(&mut self, mirrors: Vec<Mirror>, delay: Option<Duration>, end_of_stream: bool) -> Action {
        let mirrors = self.copy(mirrors, end_of_stream);
        match delay {
            Some(delay) => self.wait(delay, Then::Resume(mirrors)),
            None => {
                mirrors
                    .into_iter()
                    .for_each(|mirror| self.shared.mirrors.send_from_stream(mirror, Vec::new()));
                Action::Continue
            }
        }
    }

    /// Copies of a request without a body can go at once; those of others wait for it.
    fn copy(&mut self, mirrors: Vec<Mirror>, end_of_stream: bool) -> Vec<Mirror> {
        if end_of_stream || mirrors.is_empty() {
            return mirrors;
        }
        self.copies = Some(Box::new(Copies::new(Rc::clone(&self.shared), mirrors)));
        Vec::new()
    }

    /// Whether copies of a request are made. Those of the filter are whole requests; Envoy's router copies upgrades as well.
    #[inline(never)]
    fn may_copy(&self, routed: &Routed, request: &Request) -> bool {
        let upgrades = || request.headers.get("upgrade").is_some() && !self.shared.plugin.options.native_mirrors;
        let skipped = request.method == b"CONNECT" || upgrades();
        if skipped {
            let wanted = routed.mirrors().count();
            self.shared.metrics.mirrors_skipped.add(wanted as i64);
        }
        !skipped
    }

    /// Asks Envoy's router for copies, or makes those that the filter sends.
    #[inline(never)]
    fn mirrors<'t>(
        &self,
        routed: &'t Routed,
        metrics: &RouteMetrics,
        request: &Request,
        edits: &mut HeaderEdits<'t, '_>,
    ) -> Vec<Mirror> {
        let options = &self.shared.plugin.options;
        if !options.native_mirrors {
            return Mirror::all(routed, metrics, request, edits, options);
        }
        routed.ask_for_copies(request, edits);
        let asked_for = routed.mirrors();
        asked_for.for_each(|mirror| metrics.mirrored(routed, mirror).increment());
        Vec::new()
    }

    fn wait(&mut self, delay: Duration, then: Then) -> Action {
        self.waited = true;
        self.shared.wait(self.id, delay, then);
        Action::Pause
    }

    fn send_copies(&mut self) {
        if let Some(copies) = self.copies.take() {
            copies.send();
        }
    }
}

/// Leaves for access logs what no header of the response says.
#[inline(never)]
fn note(routed: &Routed, metrics: &RouteMetrics, mirrored: bool) {
    let note = |name, value: &str| host::set_filter_state(name, value.as_bytes());
    note(filter_state::ROUTE, &metrics.label);
    if let Some(destination) = routed.cluster() {
        note(filter_state::SUBSET, &destination.subset);
    }
    match (routed.delay, routed.abort) {
        (Some(_), Some(_)) => note(filter_state::FAULT, "delay,abort"),
        (Some(_), None) => note(filter_state::FAULT, "delay"),
        (None, Some(_)) => note(filter_state::FAULT, "abort"),
        (None, None) => {}
    }
    if mirrored {
        note(filter_state::MIRROR, "true");
    }
}

/// Gives a hashing load balancer its key, and returns the cookies that were made for it.
fn hash(routed: &Routed, request: &Request, shared: &Shared) -> Vec<String> {
    let policies = routed.forward().map_or(&[][..], |forward| &forward.hash);
    if policies.is_empty() {
        return Vec::new();
    }
    let fresh = || shared.dice.borrow_mut().next();
    let Some(hash) = HashKey::new(policies, request, host::source_ip, fresh) else {
        return Vec::new();
    };
    host::set_hash_key(&hash.key);
    hash.set_cookies
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Some(mut headers) = host::request_headers() else {
            return Action::Continue;
        };
        let asks = self.takes_question(&mut headers);
        let mut request = Request::new(&headers);
        if self.shared.plugin.listens_for_all_ports && request.named_port().is_none() {
            request.came_to = host::local_port();
        }
        let mut decision = decide(&self.shared.plugin.table, &request, &mut *self.shared.dice.borrow_mut());
        if let Decision::Routed(routed) = &mut decision {
            self.bound_faults(routed);
        }
        if asks {
            self.explain(&request, &decision);
        }
        match decision {
            Decision::Routed(routed) => {
                let action = self.route(routed, &request, end_of_stream);
                if let Some(part) = self
                    .response
                    .as_mut()
                    .filter(|part| part.routed.response_reads_request())
                {
                    part.request = headers;
                }
                action
            }
            Decision::NotFound => {
                self.shared.metrics.unmatched.increment();
                let mut edits = HeaderEdits::new(&headers);
                remove_reserved(&request, &mut edits);
                // Without a path no route matches: Envoy's own 404, with its flag and details, in anybody's routes.
                edits.set("x-envoy-original-path", request.path);
                edits.remove(":path");
                host::edit_request(&edits.into_edits());
                Action::Continue
            }
            Decision::Untouched => {
                let mut edits = HeaderEdits::new(&headers);
                remove_reserved(&request, &mut edits);
                host::edit_request(&edits.into_edits());
                Action::Continue
            }
        }
    }

    /// Bodies are copied as they pass and never held back.
    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.copies.as_mut().is_some_and(|copies| !copies.add(size)) {
            self.copies = None;
        }
        if end_of_stream {
            self.send_copies();
        }
        Action::Continue
    }

    /// Copies go without trailers: the host's callouts have none.
    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.send_copies();
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let (Some(explanation), Some(name)) = (self.explanation.take(), &self.shared.plugin.options.explain_header) {
            host::edit_response(&[HeaderEdit::Set(name.into(), explanation.as_bytes().into())]);
        }
        if let Some(part) = self.response.take() {
            part.edit();
        }
        Action::Continue
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.waited {
            self.shared.leave(self.id);
        }
    }
}
