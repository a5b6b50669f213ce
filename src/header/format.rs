//! Envoy's format strings, as far as a filter can fill them in: `%REQ(x-user?x-id):8%`, `%DOWNSTREAM_REMOTE_ADDRESS%`, `%%`.

/// A header's value with commands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Box<[Part]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Request(HeaderChoice),
    Response(HeaderChoice),
    Attribute(Attribute),
}

/// `NAME?ALTERNATIVE` and the length to cut at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HeaderChoice {
    name: Box<str>,
    alternative: Option<Box<str>>,
    length: usize,
}

/// What a proxy knows of a request beside its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The client's address and port.
    DownstreamRemoteAddress,
    /// The client's address.
    DownstreamRemoteAddressWithoutPort,
    /// The listener's address and port.
    DownstreamLocalAddress,
    /// The listener's address.
    DownstreamLocalAddressWithoutPort,
    /// The listener's port.
    DownstreamLocalPort,
    /// As `HTTP/1.1`.
    Protocol,
    /// As `TLSv1.3`.
    DownstreamTlsVersion,
    /// The subject of the client's certificate.
    DownstreamPeerSubject,
    /// The server name a client asked for.
    RequestedServerName,
    /// The chosen cluster, as statistics name it; nothing where there is no such cluster.
    UpstreamCluster,
    /// The upstream host's address and port, known once it has answered.
    UpstreamHost,
    /// The rule's name.
    RouteName,
    /// The status of an upstream's response; 0 while there is none, and in answers of the proxy's own.
    ResponseCode,
}

/// Every command that is not about a header, and what it asks for.
pub const ATTRIBUTES: [(&str, Attribute); 13] = [
    ("DOWNSTREAM_REMOTE_ADDRESS", Attribute::DownstreamRemoteAddress),
    (
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
        Attribute::DownstreamRemoteAddressWithoutPort,
    ),
    ("DOWNSTREAM_LOCAL_ADDRESS", Attribute::DownstreamLocalAddress),
    (
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
        Attribute::DownstreamLocalAddressWithoutPort,
    ),
    ("DOWNSTREAM_LOCAL_PORT", Attribute::DownstreamLocalPort),
    ("PROTOCOL", Attribute::Protocol),
    ("DOWNSTREAM_TLS_VERSION", Attribute::DownstreamTlsVersion),
    ("DOWNSTREAM_PEER_SUBJECT", Attribute::DownstreamPeerSubject),
    ("REQUESTED_SERVER_NAME", Attribute::RequestedServerName),
    ("UPSTREAM_CLUSTER", Attribute::UpstreamCluster),
    ("UPSTREAM_HOST", Attribute::UpstreamHost),
    ("ROUTE_NAME", Attribute::RouteName),
    ("RESPONSE_CODE", Attribute::ResponseCode),
];

/// As it is written between percent signs.
impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = ATTRIBUTES.iter().find(|(_, attribute)| attribute == self);
        f.write_str(name.map(|(name, _)| *name).unwrap_or_default())
    }
}

/// What commands are filled in from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// A request header's first value.
    pub request_header: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// A response header's first value; none while there is no response.
    pub response_header: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// What the proxy knows beside them.
    pub attribute: &'a dyn Fn(Attribute) -> Option<Vec<u8>>,
}

/// Why a text is no format, each in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidFormat {
    /// Percent signs that do not pair; Istio refuses it too.
    Syntax(String),
    /// A command that a filter cannot fill in.
    Command(String),
}

impl Format {
    /// Reads a format. A lone percent sign is refused, and so is a command that a filter cannot fill in.
    pub fn parse(text: &str) -> Result<Self, InvalidFormat> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let Some((command, after)) = after.split_once('%') else {
                return Err(InvalidFormat::Syntax(format!(
                    "`{text}` has a lone %; write %% for a percent sign"
                )));
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal).into()));
            }
            parts.push(Part::parse(command)?);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        Ok(Format(parts.into()))
    }

    /// The text with every command filled in; one that has nothing to say leaves nothing.
    pub fn fill(&self, context: Context) -> Vec<u8> {
        let mut text = Vec::new();
        self.0.iter().for_each(|part| part.fill(context, &mut text));
        text
    }

    /// The text where there is no command in it.
    pub fn literal(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it asks for something that a proxy knows beside the headers.
    pub fn reads(&self, attribute: Attribute) -> bool {
        self.0.contains(&Part::Attribute(attribute))
    }

    /// Whether it has a command that reads the request's headers.
    pub fn reads_request(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Request(_)))
    }

    /// Whether it has a command that reads the response's headers.
    pub fn reads_response(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Response(_)))
    }
}

/// As it is written.
impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(&text.replace('%', "%%")),
            Part::Request(choice) => write!(f, "%REQ({choice}%"),
            Part::Response(choice) => write!(f, "%RESP({choice}%"),
            Part::Attribute(attribute) => write!(f, "%{attribute}%"),
        })
    }
}

impl std::fmt::Display for HeaderChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if let Some(alternative) = &self.alternative {
            write!(f, "?{alternative}")?;
        }
        match self.length {
            usize::MAX => f.write_str(")"),
            length => write!(f, "):{length}"),
        }
    }
}

impl Part {
    fn parse(command: &str) -> Result<Self, InvalidFormat> {
        let unknown = || {
            InvalidFormat::Command(format!(
                "%{command}% cannot be filled in by a filter; known are REQ, RESP and {}",
                names()
            ))
        };
        if let Some((_, attribute)) = ATTRIBUTES.iter().find(|(name, _)| *name == command) {
            return Ok(Part::Attribute(*attribute));
        }
        let (name, argument) = command.split_once('(').ok_or_else(unknown)?;
        let (argument, length) = argument.split_once(')').ok_or_else(unknown)?;
        let length = match length.strip_prefix(':') {
            Some(digits) => digits.parse().map_err(|_| unknown())?,
            None if length.is_empty() => usize::MAX,
            None => return Err(unknown()),
        };
        let (main, alternative) = match argument.split_once('?') {
            Some((main, alternative)) => (main, Some(alternative.to_ascii_lowercase().into())),
            None => (argument, None),
        };
        let choice = HeaderChoice {
            name: main.to_ascii_lowercase().into(),
            alternative,
            length,
        };
        match name {
            "REQ" => Ok(Part::Request(choice)),
            "RESP" => Ok(Part::Response(choice)),
            _ => Err(unknown()),
        }
    }

    fn fill(&self, context: Context, text: &mut Vec<u8>) {
        match self {
            Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Part::Request(choice) => text.extend(choice.of(|name| (context.request_header)(name))),
            Part::Response(choice) => text.extend(choice.of(|name| (context.response_header)(name))),
            Part::Attribute(attribute) => text.extend((context.attribute)(*attribute).unwrap_or_default()),
        }
    }
}

impl HeaderChoice {
    fn of(&self, header: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<u8> {
        let value = header(&self.name).or_else(|| self.alternative.as_deref().and_then(&header));
        let mut value = value.unwrap_or_default();
        value.truncate(self.length);
        value
    }
}

fn names() -> String {
    ATTRIBUTES.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_filled_in() {
        let context = Context {
            request_header: &|name| (name == "end-user").then(|| b"jason".to_vec()),
            response_header: &|_| None,
            attribute: &|attribute| (attribute == Attribute::Protocol).then(|| b"HTTP/1.1".to_vec()),
        };
        let filled = |text: &str| String::from_utf8(Format::parse(text).unwrap().fill(context)).unwrap();
        assert_eq!(
            filled("100%% of %REQ(X-Id?End-User):3% by %PROTOCOL%"),
            "100% of jas by HTTP/1.1"
        );
        assert_eq!(filled("%RESP(x)%"), "");
    }

    #[test]
    fn a_format_is_shown_as_it_is_written() {
        for text in ["100%% of %REQ(x-id?end-user):3%", "%RESP(x)% by %PROTOCOL%", ""] {
            assert_eq!(Format::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused() {
        for text in [
            "50%",
            "%REQ(x%",
            "%REQ(x):y%",
            "%NO_SUCH_THING%",
            "% %",
            "%REQ%",
            "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
        ] {
            assert!(Format::parse(text).is_err(), "{text}");
        }
    }
}
