//! `cargo xtask build`: builds the unpacked extensions that a browser loads.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;

use crate::extension::{self, Browser, Choice, Profile};
use crate::notices::Notices;
use crate::repo::{self, Stamp};
use crate::step::{self, Step};
use crate::tools::{wasm_opt, wasm_target};
use crate::{join, order, remap, sbom};

/// What to build.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The browsers to build for
    #[arg(long, value_enum, default_value = "all")]
    browser: Choice,
    /// Compile quickly, with debug names and assertions, to target/extension-debug
    #[arg(long, conflicts_with = "release")]
    debug: bool,
    /// Optimise for size, as released (the default)
    #[arg(long)]
    release: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let browsers = args.browser.browsers();
    let profile = if args.debug { Profile::Debug } else { Profile::Release };
    extension(browsers, profile)?;
    for browser in browsers {
        println!("{}", browser.folder(profile).display());
    }
    Ok(())
}

/// The folder of the release module: `NAME.js` and `NAME_bg.wasm`.
pub(crate) fn modules() -> PathBuf {
    Profile::Release.modules()
}

/// Builds the extension for all browsers or for some.
pub(crate) fn extension(browsers: &[Browser], profile: Profile) -> Result<()> {
    let _lock = repo::lock("extension")?;
    let target = match profile {
        Profile::Debug => wasm_target::ready()?,
        Profile::Release => wasm_target::ready_for_release()?,
    };
    if profile == Profile::Release && target.is_debians() {
        step::note("compiling with Debian's rustc-web: rustup has no rust-src for the active toolchain");
    }
    let mut cargo = target.cargo("build");
    cargo.args(["--package", PACKAGE]);
    if profile == Profile::Release {
        cargo.args(["--profile", "wasm", "-Zbuild-std-features=optimize_for_size"]);
        // A release must not depend on the machine that built it, or contain traces of it.
        let mut flags = remap::flags(&target.compiler())?;
        for flag in FLAGS {
            flags.push(remap::SEPARATOR);
            flags.push(flag);
        }
        cargo.env(remap::VARIABLE, flags);
    }
    let name = match profile {
        Profile::Debug => "compile to WebAssembly, quickly",
        Profile::Release => "compile to WebAssembly",
    };
    let (notices, bill) = thread::scope(|scope| {
        let papers = scope.spawn(|| {
            let bill = sbom::of(PACKAGE, PACKAGE, wasm_target::TARGET, &target.compiler())?;
            anyhow::Ok((Notices::of(PACKAGE, wasm_target::TARGET)?.text()?, bill))
        });
        step::run(name, &mut cargo)?;
        let compiled = target.folder().join(profile.cargo_folder()).join(MODULE);
        bind(&compiled.with_extension("wasm"), profile)?;
        join(papers)
    })?;
    for browser in browsers {
        extension::lay_out(*browser, profile, &notices, &bill)?;
    }
    Ok(())
}

/// The module with the names of its functions, not yet sorted, for analysing its size.
pub(crate) fn named() -> PathBuf {
    repo::target("modules/named").join(MODULE).with_extension("wasm")
}

/// Generates the module's JavaScript and shrinks the module, unless both are up to date.
fn bind(input: &Path, profile: Profile) -> Result<()> {
    let debug = profile == Profile::Debug;
    let folder = profile.modules();
    let bytes = repo::read(input)?;
    // The module itself names its version of wasm-bindgen; the rest of the recipe is in the sources named below.
    let shrink = if debug { Vec::new() } else { wasm_opt::recipe() };
    let stamp = Stamp::new(
        folder.join(MODULE).with_extension("sha256"),
        &[&bytes, &shrink, include_bytes!("build.rs"), include_bytes!("order.rs")],
    );
    let output = folder.join(format!("{MODULE}_bg.wasm"));
    if stamp.is_fresh() && output.is_file() && (debug || named().is_file()) {
        return Ok(());
    }

    let step = Step::start("bind it to JavaScript");
    repo::remove_dir(&folder)?;
    fs::create_dir_all(&folder).context("cannot create the folder for modules")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes(MODULE, bytes)
        .web(true)?
        .omit_default_module_path(false)
        .typescript(false)
        .debug(debug)
        .keep_debug(debug)
        .remove_producers_section(!debug)
        .generate(&folder)
        .with_context(|| format!("wasm-bindgen cannot read {}", input.display()))?;
    if !debug {
        shorten(&output, &folder.join(MODULE).with_extension("js"))?;
    }
    let bound = size(&output)?;
    step.ok(&kilobytes(bound));

    if !debug {
        wasm_opt::ready()?;
        let step = Step::start("shrink the module");
        repo::create_parent(&named())?;
        wasm_opt::shrink(&output, &named())?;
        fs::write(&output, order::named_in_order(&repo::read(&named())?)?)
            .context("cannot write the module")?;
        wasm_opt::sort_and_strip(&output, &output)?;
        step.ok(&format!("{} to {}", kilobytes(bound), kilobytes(size(&output)?)));
    }
    stamp.set()
}

/// Removes what nobody reads from a module's JavaScript, and gives numbers to the functions that the module imports from it:
/// their names end in 16 digits, which nothing compresses, and what each does is to be read in the JavaScript.
fn shorten(module: &Path, script: &Path) -> Result<()> {
    let mut parsed = ModuleConfig::new().generate_producers_section(false).parse(&repo::read(module)?)?;
    let mut text = String::from_utf8(repo::read(script)?).context("the JavaScript is not UTF-8")?;
    for (number, import) in parsed.imports.iter_mut().enumerate() {
        let key = format!("\n        {}:", import.name);
        ensure!(text.matches(&key).count() == 1, "wasm-bindgen's JavaScript has no function {}", import.name);
        import.name = format!("f{number}");
        text = text.replace(&key, &format!("\n{}:", import.name));
    }
    fs::write(module, parsed.emit_wasm()).context("cannot write the module")?;
    fs::write(script, slimmed(&text)).context("cannot write the module's JavaScript")
}

const EXPORT: &str = "export { initSync, ";

/// JavaScript without indentation, without lines of comments, and without wasm-bindgen's way to start a module that has been
/// compiled before.
pub(crate) fn slimmed(script: &str) -> String {
    let mut script = script.to_owned();
    let start = script.find("\nfunction initSync(").filter(|_| script.contains(EXPORT));
    if let Some((start, length)) = start.and_then(|start| Some((start, script[start..].find("\n}\n")?))) {
        script.replace_range(start..start + length + 2, "");
        script = script.replace(EXPORT, "export { ");
    }
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_comment =
        |line: &str| ["/**", "* ", "*/", "//"].iter().any(|start| line.starts_with(start)) || line == "*";
    lines.filter(|line| !is_comment(line)).flat_map(|line| [line, "\n"]).collect()
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len())
}

fn kilobytes(bytes: u64) -> String {
    format!("{} KB", bytes.div_ceil(1000))
}

/// What the compiler is given in addition to the profile.
const FLAGS: [&str; 4] = [
    // A browser shows nobody what a panic prints: it is nothing but a trap, and what would have formatted its message is left out.
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    // What takes more than one load and store is copied by `memory.copy`. LLVM has these options since version 22 (Rust 1.95).
    "-Cllvm-args=-max-store-memcpy=1",
    "-Cllvm-args=-max-store-memmove=1",
];

/// The crate that becomes the extension's module, and how its files begin.
const PACKAGE: &str = "rolecall-extension";
const MODULE: &str = "rolecall_extension";
