use super::*;

fn role(name: &str) -> Role {
    let arn = format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap();
    Role { arn, ..fixture::role() }
}

async fn sign_in_through(world: &World, sources: &[Role], session: &Shared) -> crate::Result<Credentials> {
    let roles = (&role("target"), sources);
    sign_in(world, &fixture::provider(), roles, Presence::Person, TimeDelta::minutes(15), session).await
}

#[async_test]
async fn a_chain_of_roles_is_assumed_from_its_far_end() {
    let (world, session) = (World::new(), Shared::default());
    let credentials = sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    assert_eq!(
        world.take_log(),
        ["discovery", "keys", "Silent", "code", "sts 43200", "chained near", "chained target"]
    );
    assert_eq!((credentials.expiration - world.now()).num_seconds(), 3_600, "AWS's limit");
    // They are kept.
    sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    assert_eq!(world.take_log(), [""; 0]);
}

#[async_test]
async fn a_chain_begins_at_the_nearest_role_whose_credentials_can_still_sign_a_request() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    world.take_log();
    session.change(|session| session.forget_role(&role("target").arn));
    sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    assert_eq!(world.take_log(), ["chained target"]);
    // The chained ones last for an hour, the first one for twelve.
    world.now.set(world.now.get() + 3_590);
    sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    assert_eq!(world.take_log(), ["chained near", "chained target"]);
}

#[async_test]
async fn a_source_whose_session_is_refused_is_assumed_anew_before_the_refusal_is_believed() {
    let (world, session) = (World::new(), Shared::default());
    let sources = [role("hub")];
    sign_in_through(&world, &sources, &session).await.unwrap();
    session.change(|session| session.forget_role(&role("target").arn));
    world.take_log();
    world.chained_errors.replace(vec![DENIED]);
    sign_in_through(&world, &sources, &session).await.unwrap();
    assert_eq!(world.take_log(), ["chained target", "sts 43200", "chained target"]);
}

#[async_test]
async fn a_refusal_of_a_chained_role_names_both_roles_and_what_aws_said() {
    let (world, session) = (World::new(), Shared::default());
    world.chained_errors.replace(vec![DENIED]);
    let error = sign_in_through(&world, &[role("hub")], &session).await.unwrap_err();
    assert_eq!(error.code(), Code::StsChainDenied);
    let text = error.to_string();
    for part in ["the role hub assume the role target in the account 123456789012", "sts:TagSession"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[async_test]
async fn credentials_asked_for_on_other_terms_than_the_settings_are_not_used() {
    let (world, session) = (World::new(), Shared::default());
    let strict = |name: &str| Role { session_policy: Some("{}".to_owned()), ..role(name) };
    sign_in_through(&world, &[role("near"), role("far")], &session).await.unwrap();
    world.take_log();
    // A policy of a role on the way limits all that are assumed through it.
    sign_in_through(&world, &[strict("near"), role("far")], &session).await.unwrap();
    assert_eq!(world.take_log(), ["chained near", "chained target"]);
    // So does another way.
    sign_in_through(&world, &[strict("near"), role("other")], &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 43200", "chained near", "chained target"]);
    sign_in_through(&world, &[strict("near"), role("other")], &session).await.unwrap();
    assert_eq!(world.take_log(), [""; 0]);
    sign_in_through(&world, &[], &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 43200"], "no way at all");
}

#[async_test]
async fn a_computer_whose_clock_is_wrong_signs_by_the_clock_of_sts() {
    let (world, session) = (World::new(), Shared::default());
    world.clock_error.set(3_600);
    sign_in_through(&world, &[role("hub")], &session).await.unwrap();
    assert_eq!(world.take_log()[4..], ["sts 43200", "chained target", "chained target"]);

    // Where the clock is right, a refusal is one.
    world.clock_error.set(0);
    session.change(|session| session.forget_role(&role("target").arn));
    world.chained_errors.replace(vec![(403, "SignatureDoesNotMatch", "no"); 2]);
    let error = sign_in_through(&world, &[role("hub")], &session).await.unwrap_err();
    assert_eq!(error.code(), Code::StsExpiredToken);
    assert_eq!(world.take_log(), ["chained target", "sts 43200", "chained target"]);
}

const DENIED: (u16, &str, &str) =
    (403, "AccessDenied", "User: x is not authorized to perform: sts:TagSession");
