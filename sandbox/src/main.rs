//! `rolecall-sandbox`: runs the sandbox from the command line.

use std::process::ExitCode;

use clap::Parser;
use rolecall_sandbox::{Config, Ports, Preset, Sandbox};

/// An identity provider, an STS and a simulated AWS console, on this machine only. Nothing here is real: it asks for no
/// password, and its credentials give no access to AWS.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Port of the identity provider (0: any free one)
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port_provider: u16,
    /// Port of the STS (0: any free one)
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port_sts: u16,
    /// Port of the console (0: any free one)
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port_console: u16,
    /// Behave as this provider does, by public record
    #[arg(long = "as", value_name = "PROVIDER")]
    preset: Option<Preset>,
    /// Print only the settings document, and serve
    #[arg(long)]
    print_settings: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let ports =
        Ports { provider: arguments.port_provider, sts: arguments.port_sts, console: arguments.port_console };
    let config = arguments.preset.map_or_else(Config::default, Preset::config);
    let sandbox = Sandbox::start(Config { ports, ..config }).await?;
    let settings = sandbox.settings_toml();
    if arguments.print_settings {
        print!("{settings}");
    } else {
        println!("Identity provider  {}", sandbox.issuer());
        println!("STS                {}", sandbox.sts_endpoint());
        println!("Console            {}", sandbox.console_url());
        println!("\nSettings for Rolecall (~/.config/rolecall/config.toml):\n\n{settings}");
        println!("Stop with Ctrl-C.");
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}

const EXAMPLES: &str = "Examples:
  rolecall-sandbox
  rolecall-sandbox --port-provider 4400 --port-sts 4401 --port-console 4402
  rolecall-sandbox --as google
  rolecall-sandbox --print-settings --port-provider 4400 --port-sts 4401 --port-console 4402 > config.toml";
