//! Role trust policies: who may assume a role (the part of IAM's policy language that concerns web identities and roles).
//!
//! It evaluates documents, and knows only the condition keys of a request.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::issued::Caller;

/// The request to evaluate.
pub(super) struct Context<'a> {
    /// Who asks.
    pub(super) principal: Principal<'a>,
    /// Condition keys and their values.
    pub(super) keys: &'a [Key],
}

/// Who asks for a role.
#[derive(Clone, Copy)]
pub(super) enum Principal<'a> {
    /// A web identity of the OIDC provider with this ARN.
    Federated(&'a str),
    /// A session of a role.
    Role(&'a Caller),
}

/// A condition key of the request.
pub(super) struct Key {
    /// `HOST:sub`, say.
    pub(super) name: String,
    /// Its values: one, unless it is `Multi`.
    pub(super) values: KeyValues,
}

/// A condition key's values. Whether a key is multi-valued does not depend on the number of values.
pub(super) enum KeyValues {
    Single(String),
    Multi(Vec<String>),
}

/// Whether `document` allows `action` to this request: some statement allows it and none denies it.
pub(super) fn allows(document: &str, action: &str, context: &Context<'_>) -> anyhow::Result<bool> {
    let statements = parse(document)?;
    let applies = |statement: &&Statement| statement.applies(action, context);
    let denied = statements.iter().filter(|statement| statement.effect == Effect::Deny).any(|s| applies(&s));
    let allowed =
        statements.iter().filter(|statement| statement.effect == Effect::Allow).any(|s| applies(&s));
    Ok(allowed && !denied)
}

/// Whether `document` is a trust policy this sandbox can evaluate.
pub(crate) fn check(document: &str) -> anyhow::Result<()> {
    parse(document).map(drop)
}

fn parse(document: &str) -> anyhow::Result<Vec<Statement>> {
    let document: RawDocument =
        serde_json::from_str(document).context("a trust policy is a JSON document")?;
    document.statement.into_vec().into_iter().map(Statement::parse).collect()
}

struct Statement {
    effect: Effect,
    federated: Vec<String>,
    roles: Vec<String>,
    actions: Vec<String>,
    conditions: Vec<Condition>,
}

impl Statement {
    fn parse(raw: RawStatement) -> anyhow::Result<Self> {
        let (federated, roles) = match raw.principal {
            Value::String(star) if star == "*" => (vec![star.clone()], vec![star]),
            Value::Object(mut principal) => {
                let mut kind = |name: &str| principal.remove(name).map_or(Ok(Vec::new()), strings);
                (kind("Federated")?, kind("AWS")?)
            }
            _ => bail!("Principal is \"*\" or an object"),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in raw.condition {
            let operator = Operator::parse(&operator)?;
            let Value::Object(keys) = keys else { bail!("a condition operator holds an object of keys") };
            for (key, values) in keys {
                conditions.push(Condition { operator, key, values: strings(values)? });
            }
        }
        Ok(Self { effect: raw.effect, federated, roles, actions: strings(raw.action)?, conditions })
    }

    fn applies(&self, action: &str, context: &Context<'_>) -> bool {
        let principal = match context.principal {
            Principal::Federated(provider) => {
                self.federated.iter().any(|principal| principal == "*" || principal == provider)
            }
            Principal::Role(caller) => self.roles.iter().any(|principal| is_role(principal, caller)),
        };
        // Actions are compared without regard to case.
        let action = action.to_ascii_lowercase();
        let named = self.actions.iter().any(|pattern| like(&pattern.to_ascii_lowercase(), &action));
        principal && named && self.conditions.iter().all(|condition| condition.holds(context.keys))
    }
}

/// Whether a principal of a policy is the role of this session: anybody, its account, itself or its session.
fn is_role(principal: &str, caller: &Caller) -> bool {
    let partition = caller.arn.split(':').nth(1).unwrap_or_default();
    let of_account = |rest: &str| format!("arn:{partition}:iam::{}:{rest}", caller.account);
    principal == "*"
        || principal == caller.account
        || principal == of_account("root")
        || principal == caller.arn
        || principal
            .rsplit_once('/')
            .is_some_and(|(start, name)| name == caller.role && start.starts_with(&of_account("role")))
}

struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

impl Condition {
    fn holds(&self, keys: &[Key]) -> bool {
        let operator = self.operator;
        if let Comparison::Null = operator.comparison {
            let is_absent = !keys.iter().any(|key| key.name.eq_ignore_ascii_case(&self.key));
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == is_absent);
        }
        let Some(key) = keys.iter().find(|key| key.name.eq_ignore_ascii_case(&self.key)) else {
            // If the request does not have the key, negated, "if exists" and "for all" conditions hold.
            return operator.if_exists
                || match operator.set {
                    Set::None => operator.negated,
                    Set::AnyValue => false,
                    Set::AllValues => true,
                };
        };
        match (&key.values, operator.set) {
            (KeyValues::Single(value), _) => self.takes(value),
            (KeyValues::Multi(values), Set::AnyValue) => values.iter().any(|value| self.takes(value)),
            (KeyValues::Multi(values), Set::AllValues) => values.iter().all(|value| self.takes(value)),
            // A multi-valued key needs a set operator: without one nothing matches, even with one value.
            (KeyValues::Multi(_), Set::None) => operator.negated,
        }
    }

    fn takes(&self, value: &str) -> bool {
        let matched = self.values.iter().any(|pattern| match self.operator.comparison {
            Comparison::Equals => pattern == value,
            Comparison::EqualsIgnoreCase => pattern.eq_ignore_ascii_case(value),
            Comparison::Like => like(pattern, value),
            // Only for a key that is present; `holds` handles the others.
            Comparison::Null => false,
        });
        matched != self.operator.negated
    }
}

#[derive(Clone, Copy)]
struct Operator {
    set: Set,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    fn parse(name: &str) -> anyhow::Result<Self> {
        let (set, rest) = match name.split_once(':') {
            None => (Set::None, name),
            Some(("ForAnyValue", rest)) => (Set::AnyValue, rest),
            Some(("ForAllValues", rest)) => (Set::AllValues, rest),
            Some(_) => bail!("{name:?} has no such set operator"),
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let (comparison, negated) = match rest {
            "StringEquals" => (Comparison::Equals, false),
            "StringNotEquals" => (Comparison::Equals, true),
            "StringEqualsIgnoreCase" | "Bool" => (Comparison::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, true),
            "Null" => (Comparison::Null, false),
            "StringLike" => (Comparison::Like, false),
            "StringNotLike" => (Comparison::Like, true),
            _ => bail!("{name:?} is not a condition operator this sandbox knows"),
        };
        Ok(Self { set, comparison, negated, if_exists })
    }
}

#[derive(Clone, Copy)]
enum Set {
    None,
    AnyValue,
    AllValues,
}

#[derive(Clone, Copy)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    /// Whether the request has the key.
    Null,
}

/// `*` stands for any characters, `?` for one.
fn like(pattern: &str, value: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let skip_stars = |reached: &mut Vec<bool>| {
        for (at, character) in pattern.iter().enumerate() {
            if *character == '*' && reached[at] {
                reached[at + 1] = true;
            }
        }
    };
    skip_stars(&mut reached);
    for character in value.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, expected) in pattern.iter().enumerate() {
            if reached[at] {
                match expected {
                    '*' => next[at] = true,
                    '?' => next[at + 1] = true,
                    other if *other == character => next[at + 1] = true,
                    _ => {}
                }
            }
        }
        skip_stars(&mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

fn strings(value: Value) -> anyhow::Result<Vec<String>> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(values) => values
            .into_iter()
            .map(|value| value.as_str().map(str::to_owned).context("a list in a policy holds strings"))
            .collect(),
        _ => bail!("a string or a list of strings is expected"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawDocument {
    statement: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(RawStatement),
    Many(Vec<RawStatement>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<RawStatement> {
        match self {
            Self::One(statement) => vec![statement],
            Self::Many(statements) => statements,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    effect: Effect,
    principal: Value,
    action: Value,
    #[serde(default)]
    condition: Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[cfg(test)]
mod tests;
