//! Finding the role that a person names: by ARN, by profile, or by any part of its names that matches only one role.

use std::cell::RefCell;

use rolecall_core::aws::RoleArn;
use rolecall_core::message::role_table::{RoleRow, RoleTable};
use rolecall_core::search::Search;
use rolecall_core::settings::{CredentialsMode, Effective, ProfileName, ProviderId, RoleKey};
use rolecall_core::{Code, Problem};

use crate::catalogues::Refresh;
use crate::roles::{Known, KnownRole};
use crate::{output, roles, settings_files};

/// Finds the role, of this provider if one is given, and returns it with the settings. Without a word, or if it matches
/// several roles, a person at a terminal picks one from a list. Problems in the settings are printed, except one about
/// this role: the command then fails with it.
pub(crate) fn role(
    word: Option<&str>,
    provider: Option<&ProviderId>,
) -> Result<(KnownRole, Effective), Problem> {
    let arn = word.and_then(|word| word.parse::<RoleArn>().ok());
    // A complete key needs no answers from browsers.
    let is_complete = arn.is_some() && provider.is_some();
    let mut known = if is_complete { Known::of_settings() } else { Known::gather(Refresh::IfOld) };
    let role = if let Some(arn) = arn {
        of_arn(&known, arn, provider)
    } else {
        known.roles.retain(|role| provider.is_none_or(|provider| role.provider == *provider));
        choose(&known, word)
    };
    let failure = match &role {
        Ok(role) => roles::find(&known.settings, &role.key()).err(),
        Err(problem) => Some(problem.clone()),
    };
    settings_files::tell(&known.settings, failure.as_ref());
    Ok((role?, known.settings))
}

fn choose(known: &Known, word: Option<&str>) -> Result<KnownRole, Problem> {
    // A word that names an invalid role exactly must not match another with a similar name.
    let left_out = known.left_out();
    let usable = |role: &KnownRole| match left_out.iter().find(|(left_out, _)| left_out.key() == role.key()) {
        Some((_, problem)) => Err((*problem).clone()),
        None => Ok(role.clone()),
    };
    let all: Vec<_> = known.roles.iter().chain(left_out.iter().map(|(role, _)| role)).cloned().collect();
    let candidates = match word {
        Some(word) => unless_own(fitting(&all, word), word, &known.settings),
        None => known.roles.iter().collect(),
    };
    match (&candidates[..], word) {
        ([only], _) => usable(only),
        ([], Some(word)) => Err(why_none(&known.settings, word)),
        ([], None) => Err(Problem::new(Code::RoleMissing, "No role is known, and none was named.")),
        (several, _) if output::can_ask() => usable(&pick(several)?),
        (_, None) => Err(Problem::new(Code::RoleMissing, "No role was named.")),
        (several, Some(word)) => {
            let name = |role: &&KnownRole| format!("{} ({}, {})", label(role), role.profile, role.provider);
            let mut names: Vec<_> = several.iter().take(MOST_NAMED).map(name).collect();
            if several.len() > MOST_NAMED {
                names.push(format!("and {} more", several.len() - MOST_NAMED));
            }
            let message = format!("\"{word}\" matches several roles: {}.", names.join(", "));
            Err(Problem::new(Code::RoleAmbiguous, message))
        }
    }
}

/// Of several roles whose profile is this word, the one of the settings: a list from elsewhere takes no name away from it.
fn unless_own<'a>(fitting: Vec<&'a KnownRole>, word: &str, settings: &Effective) -> Vec<&'a KnownRole> {
    let mut own = fitting.iter().filter(|role| role.profile.as_str() == word && settings.is_own(&role.key()));
    match (own.next(), own.next()) {
        (Some(own), None) => vec![*own],
        _ => fitting,
    }
}

/// Why no role matches: a role with this profile may be invalid, even its ARN.
fn why_none(settings: &Effective, word: &str) -> Problem {
    let is_meant = |name: &ProfileName| name.as_str() == word;
    if let Some(role) = settings.left_out().find(|role| role.profile.as_ref().is_some_and(is_meant)) {
        return role.problem.clone();
    }
    roles::unknown(settings, Code::RoleUnknown, format!("No role matches \"{word}\"."))
}

/// A role's name for display.
pub(crate) fn label(role: &KnownRole) -> String {
    format!("{} / {}", role.account, role.arn.name())
}

fn of_arn(known: &Known, arn: RoleArn, provider: Option<&ProviderId>) -> Result<KnownRole, Problem> {
    match &known.of_arn(&arn, provider)[..] {
        [only] => return Ok((*only).clone()),
        several @ [_, ..] if output::can_ask() => return pick(several),
        _ => {}
    }
    let provider = match provider {
        Some(provider) => Some(provider.clone()),
        None => roles::find_provider(known, &arn)?,
    };
    let key = RoleKey { provider: provider.ok_or_else(|| roles::unknown_arn(&arn))?, arn };
    let role = roles::role_of(&known.settings, &key);
    Ok(KnownRole {
        account: known.settings.account_label(key.arn.account()).to_owned(),
        profile: known.settings.profile_name(&role),
        environment: known.settings.environment(&role).unwrap_or_default().to_owned(),
        about: known.settings.about(&role),
        provider: key.provider,
        arn: key.arn,
        expiration: None,
    })
}

/// The roles that match a word. An exact name takes precedence over a part, and a part over letters that the popup's search finds;
/// case matters only between otherwise equal matches.
fn fitting<'a>(known: &'a [KnownRole], word: &str) -> Vec<&'a KnownRole> {
    let rules: [&dyn Fn(&KnownRole) -> bool; 4] = [
        &|role| role.profile.as_str() == word,
        &|role| {
            role.arn.name() == word
                || label(role) == word
                || format!("{}/{}", role.account, role.arn.name()) == word
        },
        &|role| is_made_of(role, word),
        &|role| contains_parts(role, word),
    ];
    for rule in rules {
        let fitting: Vec<_> = known.iter().filter(|role| rule(role)).collect();
        if !fitting.is_empty() {
            return fitting;
        }
    }
    if parts(word).next().is_none() {
        return Vec::new();
    }
    RoleSearch::new(known).find(word).into_iter().filter_map(|row| known.get(row)).collect()
}

/// The popup's search, in roles that the command line knows.
pub(crate) struct RoleSearch {
    table: RoleTable,
    search: Search,
}

impl RoleSearch {
    pub(crate) fn new<'a>(roles: impl IntoIterator<Item = &'a KnownRole>) -> Self {
        let mut table = RoleTable::default();
        for role in roles {
            table.push(RoleRow {
                provider: role.provider.as_str(),
                arn: role.arn.as_str(),
                account: &role.account,
                profile: role.profile.as_str(),
                color: "",
                environment: &role.environment,
                about: &role.about,
                credentials: CredentialsMode::default(),
                is_for_others: false,
            });
        }
        let mut search = Search::default();
        search.set_roles(&table);
        Self { table, search }
    }

    /// The places of the roles that fit, best first.
    pub(crate) fn find(&mut self, query: &str) -> Vec<usize> {
        self.search.set_query(&self.table, query);
        self.search.found().to_vec()
    }
}

/// Whether every part of the word is a complete name: `dev` is the account `dev` rather than a part of `developer`.
fn is_made_of(role: &KnownRole, word: &str) -> bool {
    let names = [role.account.as_str(), role.arn.account().as_str(), role.arn.name(), role.profile.as_str()];
    let mut parts = parts(word).peekable();
    parts.peek().is_some() && parts.all(|part| names.iter().any(|name| name.eq_ignore_ascii_case(part)))
}

/// Whether the names contain every part of the word, in any order: `prod admin` finds `example-prod / Administrator`.
fn contains_parts(role: &KnownRole, word: &str) -> bool {
    let haystack = haystack(role);
    let word = word.to_lowercase();
    let mut parts = parts(&word).peekable();
    parts.peek().is_some() && parts.all(|part| haystack.contains(part))
}

fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(|c: char| c.is_whitespace() || c == '/').filter(|part| !part.is_empty())
}

fn haystack(role: &KnownRole) -> String {
    format!("{} {} {} {}", role.account, role.arn.account(), role.arn.name(), role.profile).to_lowercase()
}

fn pick(candidates: &[&KnownRole]) -> Result<KnownRole, Problem> {
    let items: Vec<_> = candidates
        .iter()
        .map(|role| format!("{}  ({}, {})", label(role), role.profile, role.provider))
        .collect();
    let search = RefCell::new(RoleSearch::new(candidates.iter().copied()));
    let picked = output::choose("Role", &items, |typed| search.borrow_mut().find(typed))
        .and_then(|index| candidates.get(index));
    let picked = picked.ok_or_else(|| Problem::new(Code::RoleMissing, "No role was chosen."))?;
    Ok((*picked).clone())
}

/// How many of the roles that fit are named in an error.
const MOST_NAMED: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<KnownRole> {
        [
            ("dev", "developer", "example-dev"),
            ("prod", "developer", "example-prod"),
            ("prod", "Administrator", "prod-admin"),
            ("prod", "AdministratorReadOnly", "prod-admin-ro"),
        ]
        .map(|(account, name, profile)| KnownRole {
            provider: "corp".parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
            account: account.to_owned(),
            profile: profile.parse().unwrap(),
            environment: if account == "prod" { "production".to_owned() } else { String::new() },
            about: if account == "dev" { "Playground · on-call".to_owned() } else { String::new() },
            expiration: None,
        })
        .into()
    }

    #[test]
    fn a_word_finds_the_roles_it_matches_best() {
        for (word, profiles) in [
            ("example-dev", &["example-dev"][..]),
            ("prod-admin", &["prod-admin"]),
            ("Administrator", &["prod-admin"]),
            ("prod/developer", &["example-prod"]),
            ("prod / developer", &["example-prod"]),
            ("DEVELOPER prod", &["example-prod"]),
            ("dev", &["example-dev"]),
            ("PROD administrator", &["prod-admin"]),
            ("readonly", &["prod-admin-ro"]),
            ("admin", &["prod-admin", "prod-admin-ro"]),
            ("padmonly", &["prod-admin-ro"]),
            ("on-call", &["example-dev"]),
            ("production read", &["prod-admin-ro"]),
            ("developer", &["example-dev", "example-prod"]),
            ("nobody", &[]),
            ("/", &[]),
            ("", &[]),
        ] {
            let known = known();
            let found: Vec<_> = fitting(&known, word).iter().map(|role| role.profile.to_string()).collect();
            assert_eq!(found, profiles, "{word}");
        }
    }
}
