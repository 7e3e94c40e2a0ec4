//! All quoting of this program: text that a shell reads back unchanged.

/// A family of shells with the same quoting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// sh, dash, bash, zsh.
    Posix,
    Fish,
    PowerShell,
    /// `cmd.exe`, in a batch file.
    Cmd,
}

impl Syntax {
    /// The syntax of the person's shell.
    pub(crate) fn of_this_terminal() -> Self {
        let shell = std::env::var("SHELL").unwrap_or_default();
        match shell.rsplit('/').next() {
            Some("fish") => Self::Fish,
            Some("pwsh") => Self::PowerShell,
            _ if cfg!(windows) => Self::PowerShell,
            _ => Self::Posix,
        }
    }

    /// One word that the shell reads as `text`. `None` if it cannot be quoted.
    pub(crate) fn word(self, text: &str) -> Option<String> {
        if text.contains('\0') {
            return None;
        }
        match self {
            Self::Posix => Some(posix_word(text)),
            // fish documentation, "Quotes": \' and \\ are the only escapes within single quotes.
            Self::Fish => Some(format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))),
            // PowerShell language specification, 2.3.5.2: a doubled quote stands for one, and typographic quotes are quotes.
            Self::PowerShell => {
                let doubled =
                    text.chars().flat_map(|c| [Some(c), POWERSHELL_QUOTES.contains(&c).then_some(c)]);
                Some(format!("'{}'", doubled.flatten().collect::<String>()))
            }
            Self::Cmd => cmd_quotable(text).map(|text| format!("\"{text}\"")),
        }
    }

    /// The command that sets an environment variable. `None` if the value cannot be quoted.
    pub(crate) fn assignment(self, name: &str, value: &str) -> Option<String> {
        match self {
            Self::Posix => Some(format!("export {name}={}", self.word(value)?)),
            Self::Fish => Some(format!("set -gx {name} {}", self.word(value)?)),
            Self::PowerShell => Some(format!("$Env:{name} = {}", self.word(value)?)),
            Self::Cmd => Some(format!("set \"{name}={}\"", cmd_quotable(value)?)),
        }
    }

    /// The command that clears an environment variable.
    pub(crate) fn removal(self, name: &str) -> String {
        match self {
            Self::Posix => format!("unset {name}"),
            Self::Fish => format!("set -e {name}"),
            Self::PowerShell => format!("Remove-Item -ErrorAction SilentlyContinue Env:{name}"),
            Self::Cmd => format!("set \"{name}=\""),
        }
    }
}

/// POSIX, 2.2.2: between single quotes everything stands for itself, and a single quote stands between double quotes. With
/// zsh's `rc_quotes`, two quoted parts must not touch with their single quotes, as they do in `shlex`'s words.
fn posix_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+,.@:/-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// A line of a `.env` file that dotenv libraries, Docker and Docker Compose, and a shell that sources the file read the same
/// way. `None` if there is none: they agree on plain values and on what is between single quotes, but not on escapes.
pub(crate) fn dotenv_assignment(name: &str, value: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if value.chars().all(is_plain) {
        return Some(format!("{name}={value}"));
    }
    (!value.contains(|c: char| c == '\'' || c == '\\' || c.is_control())).then(|| format!("{name}='{value}'"))
}

/// A `credential_process` line of these words, which this system's shell and the SDKs' own splitters read the same way.
/// `None` if a word cannot be written in one.
pub(crate) fn process_line(words: &[&str]) -> Option<String> {
    if cfg!(windows) { unquoted_line(words) } else { shlex::try_join(words.iter().copied()).ok() }
}

/// The words of a `credential_process` line, whoever wrote it.
pub(crate) fn process_words(line: &str) -> Option<Vec<String>> {
    if cfg!(windows) { double_quoted_words(line) } else { shlex::split(line) }
}

/// A line without quotes: with quotes around the program, Go (and so Terraform) escapes them for `cmd.exe` in a way
/// that `cmd.exe` does not understand, and .NET, PowerShell and older Rust fail as well (aws-sdk-go-v2 #3208,
/// aws-tools-for-powershell #393, smithy-rs #4784). `None` if a word needs quotes.
fn unquoted_line(words: &[&str]) -> Option<String> {
    let is_plain = |word: &&str| {
        !word.is_empty()
            && !word.contains(|c: char| c.is_control() || c.is_whitespace() || "\"&<>()^|%".contains(c))
    };
    words.iter().all(is_plain).then(|| words.join(" "))
}

fn double_quoted_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut is_quoted, mut has_begun) = (false, false);
    for c in line.chars() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                has_begun = true;
            }
            ' ' | '\t' if !is_quoted => {
                if has_begun {
                    words.push(std::mem::take(&mut word));
                }
                has_begun = false;
            }
            c => {
                word.push(c);
                has_begun = true;
            }
        }
    }
    if has_begun {
        words.push(word);
    }
    (!is_quoted).then_some(words)
}

/// Between double quotes, `cmd.exe` still expands `%NAME%`, and cannot escape a quote or a line break.
fn cmd_quotable(text: &str) -> Option<String> {
    (!text.contains(|c: char| c == '"' || c.is_control())).then(|| text.replace('%', "%%"))
}

/// The characters that PowerShell accepts as a single quote.
const POWERSHELL_QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRICKY: [&str; 12] = [
        "",
        "plain",
        "it's \"a\" $HOME `x` \\ %PATH% ! # é",
        "'",
        "''",
        "ends in '",
        "\\",
        "\\\\'\\'",
        "=ls ~ * ? [a] {a,b} <(x) && | ;",
        "-n",
        "two\nlines\tand a tab",
        "it\u{2019}s",
    ];

    /// The output of `script` in a shell; `None` if the shell is not installed.
    #[cfg(unix)]
    fn run(command: &[&str], script: &str) -> Option<String> {
        let output = std::process::Command::new(command[0]).args(&command[1..]).arg(script).output().ok()?;
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[cfg(unix)]
    const SHELLS: [(&[&str], Syntax); 6] = [
        (&["sh", "-c"], Syntax::Posix),
        (&["dash", "-c"], Syntax::Posix),
        (&["bash", "-c"], Syntax::Posix),
        (&["zsh", "-f", "-c"], Syntax::Posix),
        (&["zsh", "-f", "-o", "rc_quotes", "-c"], Syntax::Posix),
        (&["fish", "--no-config", "-c"], Syntax::Fish),
    ];

    #[cfg(unix)]
    #[test]
    fn real_shells_read_back_the_words_that_were_quoted() {
        let expected: String = TRICKY.map(|word| format!("<{word}>")).concat();
        let mut ran = 0;
        for (command, shell) in SHELLS {
            let words: Vec<_> = TRICKY.iter().map(|word| shell.word(word).unwrap()).collect();
            let Some(output) = run(command, &format!("printf '<%s>' {}", words.join(" "))) else { continue };
            assert_eq!(output, expected, "{command:?}");
            ran += 1;
        }
        assert!(ran > 0, "not even sh could be run");
    }

    #[cfg(unix)]
    #[test]
    fn real_shells_set_and_clear_variables() {
        let mut ran = 0;
        for (command, shell) in SHELLS {
            for value in TRICKY {
                let script = format!(
                    "{}\nprintf '<%s>' \"$A\"\n{}\nprintf '<%s>' \"$A\"",
                    shell.assignment("A", value).unwrap(),
                    shell.removal("A")
                );
                let Some(output) = run(command, &script) else { break };
                assert_eq!(output, format!("<{value}><>"), "{command:?}");
                ran += 1;
            }
        }
        assert!(ran > 0, "not even sh could be run");
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_a_credential_process_line_as_the_splitter_does() {
        let words = ["/home/a b/it's $HOME/`x`\"!\\/rolecall", "--profile", "a%b@c", ""];
        let line = process_line(&words).unwrap();
        assert_eq!(process_words(&line).unwrap(), words);
        let output = run(&["sh", "-c"], &format!("printf '<%s>' {line}")).unwrap();
        assert_eq!(output, words.map(|word| format!("<{word}>")).concat());
    }

    #[test]
    fn a_line_for_windows_has_no_quotes_but_quoted_lines_are_read() {
        assert_eq!(unquoted_line(&["a b", "c"]), None);
        assert_eq!(unquoted_line(&["a", ""]), None);
        assert_eq!(unquoted_line(&["a", "b=c,d@e"]).as_deref(), Some("a b=c,d@e"));
        let words =
            double_quoted_words(r#""C:\Program Files\rolecall.exe" credential-process --profile dev"#);
        assert_eq!(
            words.unwrap(),
            [r"C:\Program Files\rolecall.exe", "credential-process", "--profile", "dev"]
        );
        assert_eq!(double_quoted_words("\"C:\\half"), None);
    }

    /// Reads a verbatim string literal of the PowerShell language specification (2.3.5.2); `None` unless `text` is one.
    fn read_as_powershell(text: &str) -> Option<String> {
        let is_quote = |c: char| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c);
        let mut rest = text.chars();
        let mut value = String::new();
        is_quote(rest.next()?).then_some(())?;
        loop {
            match rest.next()? {
                c if !is_quote(c) => value.push(c),
                _ => match rest.next() {
                    Some(c) if is_quote(c) => value.push(c),
                    Some(_) => return None,
                    None => return Some(value),
                },
            }
        }
    }

    /// The value that `set "A=…"` in a batch file sets: percent signs are paired first, then quotes (`cmd /?`, `set
    /// /?`).
    fn read_as_batch_file(line: &str) -> Option<String> {
        let paired = line.replace("%%", "\u{0}");
        if paired.contains('%') {
            return None;
        }
        let value = paired.strip_prefix("set \"A=")?.strip_suffix('"')?.replace('\u{0}', "%");
        (!value.contains('"')).then_some(value)
    }

    #[test]
    fn powershell_and_cmd_read_back_what_was_quoted() {
        for word in TRICKY {
            assert_eq!(read_as_powershell(&Syntax::PowerShell.word(word).unwrap()).as_deref(), Some(word));
        }
        let set = |value| Syntax::Cmd.assignment("A", value);
        assert_eq!(set("100% of %PATH% & more ^ !").unwrap(), "set \"A=100%% of %%PATH%% & more ^ !\"");
        assert_eq!((set("a \"b\""), set("a\nb")), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn a_sourced_env_file_sets_values_and_runs_nothing() {
        let path = "arn:aws:iam::1:role/`id`/$(id)/\"&x;<(id)!#é";
        for value in TRICKY.iter().chain([&path, &"plain/va+lue=="]) {
            let Some(line) = dotenv_assignment("A", value) else {
                assert!(value.contains(['\'', '\\', '\n']), "{value}");
                continue;
            };
            for shell in ["sh", "dash", "bash", "zsh"] {
                let script = format!("set -a\n{line}\nprintf '<%s>' \"$A\"");
                let Some(output) = run(&[shell, "-c"], &script) else { continue };
                assert_eq!(output, format!("<{value}>"), "{shell}: {line}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn real_shells_read_back_any_text() {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(8));
        let words = proptest::collection::vec("[^\0]{0,12}", 40);
        let outcome = runner.run(&words, |words| {
            let expected = format!("<{}>", words.join("><"));
            for (command, shell) in SHELLS {
                let quoted: Vec<_> = words.iter().map(|word| shell.word(word).unwrap()).collect();
                let script = format!("printf '<%s>' {}", quoted.join(" "));
                let Some(output) = run(command, &script) else { continue };
                prop_assert_eq!(&output, &expected, "{:?}", command);
            }
            Ok(())
        });
        outcome.unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any::<String>()) {
            if let Some(word) = Syntax::Posix.word(&text) {
                prop_assert_eq!(shlex::split(&word), Some(vec![text.clone()]));
            }
            if let Some(word) = Syntax::PowerShell.word(&text) {
                prop_assert_eq!(read_as_powershell(&word), Some(text.clone()));
            }
            if let Some(line) = Syntax::Cmd.assignment("A", &text) {
                prop_assert_eq!(read_as_batch_file(&line), Some(text));
            }
        }
    }
}
