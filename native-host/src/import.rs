//! Settings from the previous tool's files.

use std::path::Path;

use rolecall_core::settings::{Settings, parse_toml};
use rolecall_core::{Code, Problem};
use toml::Table;
use url::Url;

use crate::host_settings::{Document, Loopbacks, TABLES};

/// Reads a file of any known kind: `config.yaml` and `[maws]` of the previous tool, or a settings file.
pub(crate) fn read(path: &Path) -> Result<Settings, Problem> {
    let refuse = |reason: String| Problem::new(Code::ImportFailed, format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| refuse(format!("The file cannot be read: {error}.")))?;
    parse(&text).map_err(refuse)
}

/// What a settings file says to this program alone. Other files have nothing of the kind.
#[derive(Debug, Default)]
pub(crate) struct OwnPart {
    /// What its providers say of `loopback`.
    pub(crate) loopbacks: Loopbacks,
    /// Its tables.
    pub(crate) tables: Table,
}

/// Reads that part of a file, without the tables that the document `own` already has.
pub(crate) fn own_part(path: &Path, own: &str) -> OwnPart {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (Ok(document), Ok(mut tables)) = (parse_toml(&text), text.parse::<Table>()) else {
        return OwnPart::default();
    };
    let own = own.parse::<Table>().unwrap_or_default();
    tables.retain(|name, _| TABLES.contains(&name) && !own.contains_key(name));
    OwnPart { loopbacks: Document::read(&text, &document, "").0.loopbacks(), tables }
}

fn parse(text: &str) -> Result<Settings, String> {
    let content = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    match content {
        Some(line) if line.starts_with("[[") || TABLES.iter().any(|name| line == format!("[{name}]")) => {
            Settings::from_toml(text).map(|(settings, _)| settings).map_err(|error| error.to_string())
        }
        Some(line) if line.starts_with('[') => {
            let keys = pairs(section(text, "maws").ok_or("It has no [maws] section.")?, '=');
            provider(&keys)
        }
        Some(_) => provider(&pairs(text.lines(), ':')),
        None => Err("The file is empty.".to_owned()),
    }
}

/// The lines of an INI section.
fn section<'a>(text: &'a str, name: &str) -> Option<impl Iterator<Item = &'a str>> {
    let header =
        |line: &str| line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    let mut lines = text.lines().skip_while({
        let name = name.to_owned();
        move |line| header(line).as_deref() != Some(&name)
    });
    lines.next()?;
    Some(lines.take_while(|line| !line.trim_start().starts_with('[')))
}

/// Parses `key: value` or `key = value`, one a line. The previous tool's files have no nested values.
fn pairs<'a>(lines: impl Iterator<Item = &'a str>, sign: char) -> Vec<(String, String)> {
    let pair = |line: &'a str| {
        let (key, value) = line.split_once(sign)?;
        let value = value.trim();
        let value = value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
        let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((key.trim().to_lowercase(), unquoted.unwrap_or(value).to_owned()))
    };
    lines.filter(|line| !line.trim_start().starts_with(['#', ';'])).filter_map(pair).collect()
}

fn provider(keys: &[(String, String)]) -> Result<Settings, String> {
    let value = |names: &[&str]| {
        let found = keys.iter().find(|(key, value)| names.contains(&key.as_str()) && !value.is_empty());
        found.map(|(_, value)| value.clone())
    };
    let well_known_url = value(&["well_known_url"]).ok_or("It has no well_known_url.")?;
    let client_id = value(&["client_id"]).ok_or("It has no client_id.")?;
    let host = Url::parse(&well_known_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let mut entry = Table::new();
    entry.insert("id".to_owned(), id(host.as_deref().unwrap_or_default()).into());
    entry.insert("well_known_url".to_owned(), well_known_url.into());
    entry.insert("client_id".to_owned(), client_id.into());
    if let Some(scope) = value(&["scope", "oidc_scope"]) {
        entry.insert("scope".to_owned(), scope.into());
    }
    let mut document = Table::new();
    document.insert("provider".to_owned(), toml::Value::Array(vec![entry.into()]));
    // Checked by the same rules as a settings file.
    Settings::from_toml(&document.to_string())
        .map(|(settings, _)| settings)
        .map_err(|error| error.to_string())
}

/// A recognisable id: the organisation's part of the host name.
fn id(host: &str) -> String {
    let mut labels = host.rsplit('.');
    let named = labels.next().filter(|_| host.contains('.')).and_then(|_| labels.next());
    let named = named.unwrap_or(host);
    let id: String = named.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    if id.is_empty() { "imported".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_previous_tool_are_read() {
        let url = "https://auth.example.com/.well-known/openid-configuration";
        for text in [
            format!("---\nwell_known_url: {url}\nclient_id: abc123  \nscope: \"openid groups\"\n"),
            format!(
                "# mine\n[other]\nx = y\n[maws]\nwell_known_url={url}\nclient_id = abc123\noidc_scope = openid groups\n[more]\nclient_id = no\n"
            ),
        ] {
            let settings = parse(&text).unwrap();
            let provider = &settings.provider[0];
            assert_eq!(provider.well_known_url.to_string(), url, "{text}");
            assert_eq!((provider.id.as_str(), provider.client_id.as_str()), ("example", "abc123"));
            assert_eq!(provider.scope, "openid groups");
        }
    }

    #[test]
    fn a_settings_file_is_read() {
        let text = include_str!("../../docs/example-config.toml");
        assert_eq!(parse(text).unwrap(), Settings::from_toml(text).unwrap().0);
    }

    #[test]
    fn the_programs_own_tables_come_along_unless_there_are_some_already() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = "[host]\ncache = \"file\"\n\n[loopback]\nports = [0]\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(read(&file).unwrap(), Settings::default());
        assert_eq!(own_part(&file, "").tables.to_string(), text);
        let names: Vec<_> = own_part(&file, "[host]\n").tables.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["loopback"]);
    }

    #[test]
    fn an_invalid_file_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "empty"),
            ("[other]\nx = y\n", "[maws]"),
            ("well_known_url: https://a.example/.well-known/openid-configuration\n", "client_id"),
            ("client_id: x\nwell_known_url: http://a.example/\n", "only https"),
            ("[[provider]]\nid = 7\n", "line 2"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
