//! Where a rule is written.

use crate::cli::input::Input;
use crate::explain::RuleReference;

/// `file:line` of a rule, or of the delegate's.
pub(in crate::cli) fn place(rule: &RuleReference, input: &Input) -> Option<String> {
    let (object, path) = match &rule.delegate {
        Some((object, http)) => (object, format!("http[{http}]")),
        None => (&rule.virtual_service, rule.path()),
    };
    let (namespace, name) = object.split_once('/')?;
    let resource = input.resources.iter().find(|resource| {
        let metadata = resource.node.get("metadata");
        let text = |field: &str| metadata.map(|metadata| metadata.text(field)).unwrap_or_default();
        let own = Some(text("namespace"))
            .filter(|own| !own.is_empty())
            .unwrap_or("default");
        resource.node.text("kind") == "VirtualService" && text("name") == name && own == namespace
    })?;
    Some(format!("{}:{}", resource.file, resource.node.position(&path).line))
}
