//! Names the product is registered under, in one place.

/// The product's name as people read it.
pub const PRODUCT: &str = "Rolecall";

/// The native messaging host's name, under which browsers find its manifest.
pub const HOST_NAME: &str = "dev.rolecall.host";

/// The extension's id in Chromium browsers: the hash of the `key` in `manifest/chromium.jsonc`.
pub const CHROMIUM_EXTENSION_ID: &str = "ganjefdifpdbcgkcmbniolbdkacieled";

/// The add-on's id in Firefox: `browser_specific_settings.gecko.id` in `manifest/firefox.jsonc`.
pub const FIREFOX_EXTENSION_ID: &str = "rolecall@rolecall.dev";
