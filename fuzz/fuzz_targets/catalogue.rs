//! A role catalogue below settings: it adds roles, and takes away or changes nothing of the settings.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rolecall_core::map::Map;
use rolecall_core::settings::{Catalogue, CredentialsMode, Effective, Layers, ProfileName, Reading};

const URL: &str = "https://idp.example/roles.json";

const SETTINGS: &str = r#"
[[provider]]
id = "corp"
well_known_url = "https://idp.example/.well-known/openid-configuration"
client_id = "client"
catalogue_url = "https://idp.example/roles.json"
profile_name = "{alias}{role}"

[[role]]
provider = "corp"
arn = "arn:aws:iam::123456789012:role/hub"
approve = "always"

[[role]]
provider = "corp"
arn = "arn:aws:iam::123456789012:role/file"
profile = "default"
credentials = "file"

[[account]]
id = "123456789012"
alias = "own"
"#;

static OWN: LazyLock<(Layers, Effective)> = LazyLock::new(|| {
    let machine = Reading::from_toml(SETTINGS).unwrap();
    let layers = Layers { machine, ..Layers::default() };
    let effective = layers.effective();
    (layers, effective)
});

fuzz_target!(|text: &str| {
    let provider = "corp".parse().unwrap();
    let Ok(reading) = Reading::from_catalogue(text, &provider) else { return };
    let (layers, own) = &*OWN;
    let catalogue = Catalogue { url: URL.parse().unwrap(), reading };
    let catalogues = Map::from_iter([(provider, catalogue)]);
    let effective = Layers { catalogues, ..layers.clone() }.effective();
    assert!(effective.providers().eq(own.providers()));
    assert_eq!(effective.preferences, own.preferences);
    for role in own.roles().map(|role| &role.value) {
        let (now, provider) = effective.role(&role.key()).unwrap();
        assert!(now.approve(provider) >= role.approve(provider) && now.source_role == role.source_role);
        assert_eq!(effective.account_label(role.arn.account()), "own");
        assert_eq!(effective.profile_name(now), own.profile_name(role));
    }
    let default: ProfileName = "default".parse().unwrap();
    for role in effective.roles().filter(|role| own.role(&role.value.key()).is_none()) {
        assert_ne!(role.value.credentials, CredentialsMode::File);
        let profile = effective.profile_name(&role.value);
        assert!(profile != default && !profile.as_str().starts_with('-'));
        assert!(!effective.about(&role.value).contains(char::is_control));
        assert!(!effective.account_label(role.value.arn.account()).contains(char::is_control));
    }
});
