use rolecall_core::message::ui::Intent;

use crate::scripted::{World, role};

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
    world.finish(async move { background.omnibox.choose("zebra").await });
    assert!(popup.state().activities.is_empty());
}
