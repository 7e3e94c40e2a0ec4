use rolecall_core::message::ui::Intent;

use crate::scripted::{World, role, settings};

#[test]
fn the_address_bar_suggests_roles_as_the_popup_lists_them() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&Intent::Pin { role: role("other", "auditor"), pinned: true });
    let suggest = |text: &'static str| {
        let background = std::rc::Rc::clone(&background);
        world.finish(async move { background.omnibox.suggestions(text).await })
    };
    assert_eq!(
        suggest(""),
        [
            "123456789012 / auditor · other",
            "123456789012 / admin · corp",
            "123456789012 / admin · other",
            "123456789012 / developer · corp"
        ]
    );
    assert_eq!(suggest("dvlp"), ["123456789012 / developer · corp"]);
    assert_eq!(suggest("dvlp > s3"), ["123456789012 / developer · corp > s3"]);
    let url = "https://eu-west-1.console.aws.amazon.com/s3/home";
    assert_eq!(suggest(url)[0], format!("123456789012 / auditor · other > {url}"));
    assert_eq!(suggest("zebra"), [""; 0]);
}

#[test]
fn enter_in_the_address_bar_does_what_the_popup_does_first_with_the_best_or_the_named_role() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    for (text, expected) in [
        ("audit", role("other", "auditor")),
        ("123456789012 / admin · other", role("other", "admin")),
        ("123456789012 / admin · corp", role("corp", "admin")),
    ] {
        let chosen = std::rc::Rc::clone(&background);
        world.finish(async move { chosen.omnibox.choose(text).await });
        world.run();
        let roles: Vec<_> =
            popup.state().activities.into_iter().filter_map(|activity| activity.role).collect();
        assert_eq!(roles.last(), Some(&expected), "{text}");
        popup.send(&Intent::Cancel { role: expected });
    }
    for (text, role, page) in [
        ("audit > s3", role("other", "auditor"), "s3"),
        ("123456789012 / admin · other > logs eu-north-1", role("other", "admin"), "logs eu-north-1"),
    ] {
        let chosen = std::rc::Rc::clone(&background);
        world.finish(async move { chosen.omnibox.choose(text).await });
        let wanted = background.last_intent();
        assert_eq!(wanted, Some(Intent::OpenPage { role: role.clone(), page: page.to_owned() }), "{text}");
        popup.send(&Intent::Cancel { role });
    }
    world.finish(async move { background.omnibox.choose("zebra").await });
    assert!(popup.state().activities.is_empty());
}

#[test]
fn an_account_whose_name_has_the_sign_of_a_page_can_be_chosen() {
    let world = World::new();
    let mut settings = settings();
    settings["account"] = serde_json::json!([{ "id": "123456789012", "alias": "R&D <prod>" }]);
    world.browser.policy.replace(Some(Ok(Some(settings.to_string()))));
    let background = world.start();
    let name = "R&D <prod> / admin · 123456789012 · other";
    let admin = role("other", "admin");
    for (text, expected) in [
        (name.to_owned(), Intent::OpenConsole { role: admin.clone() }),
        (format!("{name} > s3"), Intent::OpenPage { role: admin.clone(), page: "s3".to_owned() }),
    ] {
        let chosen = std::rc::Rc::clone(&background);
        world.finish(async move { chosen.omnibox.choose(&text).await });
        assert_eq!(background.last_intent(), Some(expected));
        world.popup(&background).send(&Intent::Cancel { role: admin.clone() });
        world.run();
    }
}
