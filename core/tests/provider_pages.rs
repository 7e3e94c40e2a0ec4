//! The pages of `docs/providers` say what the product reads: their settings and policies are complete and valid.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rolecall_core::settings::Settings;
    use serde_json::Value;

    /// Each page's name and text.
    fn pages() -> Vec<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/providers");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let pages = files.map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        });
        pages.filter(|(name, _)| name != "README").collect()
    }

    /// The blocks of code in a language.
    fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
        let parts = page.split("\n```").skip(1).step_by(2);
        parts.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
    }

    #[test]
    fn the_settings_of_every_page_are_read_to_the_last_key() {
        let pages = pages();
        assert_eq!(pages.len(), 13);
        for (name, page) in pages {
            let [text] = blocks(&page, "toml")[..] else { panic!("{name} has not one block of settings") };
            let (settings, unknown) = Settings::from_toml(text).unwrap();
            assert_eq!((settings.provider.len(), unknown), (1, Vec::new()), "{name}");
        }
    }

    #[test]
    fn the_trust_policy_of_every_page_names_the_issuer_of_its_settings_as_aws_does() {
        for (name, page) in pages() {
            let policies = blocks(&page, "json");
            assert_eq!(policies.len(), 1, "{name}");
            let policy: Value = serde_json::from_str(policies[0]).unwrap();
            let statement = &policy["Statement"][0];
            let federated = statement["Principal"]["Federated"].as_str().unwrap();
            let issuer = federated.split_once("oidc-provider/").map_or(federated, |(_, issuer)| issuer);
            let (settings, _) = Settings::from_toml(blocks(&page, "toml")[0]).unwrap();
            let address = settings.provider[0].well_known_url.to_string();
            let host_and_path = address.trim_start_matches("https://").to_lowercase();
            let asked = host_and_path.strip_suffix("/.well-known/openid-configuration").unwrap();
            assert_eq!(issuer.trim_end_matches('/').to_lowercase(), asked, "{name}");
            assert!(
                statement["Condition"]["StringEquals"][format!("{issuer}:aud")].is_string()
                    || name == "google",
                "{name}"
            );
            let has_tags = policies[0].contains("aws:RequestTag");
            assert_eq!(policies[0].contains("sts:TagSession"), has_tags, "{name}");
        }
    }
}
