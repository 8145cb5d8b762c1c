//! The one table of events: their names, what each may hold, and what each member looks like. The writer, the published
//! schema and `docs/EVENTS.md` follow it.

use super::{ATTEMPTS, Severity};
use crate::decision::Action;
use crate::identity::Scheme;
use crate::reason::Reason;

/// What a member's value looks like. Lengths count the characters between the quotes, escapes included.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// RFC 3339 in UTC with milliseconds.
    Time,
    /// One word of a closed set.
    Word(fn() -> Vec<&'static str>),
    /// Any text, cut at so many characters.
    Text(usize),
    /// A list of texts: how many, and how long each.
    Texts(usize, usize),
    /// `hmac-sha256:` and 32 hexadecimal digits.
    Digest,
    /// A whole number, not negative.
    Number,
    /// `true`; left out otherwise.
    Flag,
}

macro_rules! members {
    ($( $variant:ident $name:literal $shape:expr; $about:literal )*) => {
        /// A member of a line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Member { $( #[doc = $about] $variant, )* }

        impl Member {
            /// All of them, in the order in which they are documented.
            pub const ALL: &'static [Member] = &[ $( Member::$variant, )* ];

            /// The name in the line.
            pub const fn name(self) -> &'static str {
                match self { $( Member::$variant => $name, )* }
            }

            /// What its value looks like.
            pub const fn shape(self) -> Shape {
                match self { $( Member::$variant => $shape, )* }
            }

            /// What it means.
            pub const fn about(self) -> &'static str {
                match self { $( Member::$variant => $about, )* }
            }
        }
    };
}

members! {
    Time "time" Shape::Time; "When it happened, by the clock of the machine that wrote it, or by the clock that the host gave the engine."
    Event "event" Shape::Word(|| Kind::ALL.iter().map(|kind| kind.name()).collect()); "What happened."
    Severity "severity" Shape::Word(|| Severity::ALL.map(Severity::name).to_vec()); "How much it asks for attention."
    Engine "engine" Shape::Text(96); "`[engine] name` of the policy."
    Pid "pid" Shape::Number; "The process that saw it."
    Id "id" Shape::Text(128); "The decision's id, as the person refused reads it: the request's own, or one that the engine drew."
    Action "action" Shape::Word(|| vec![Action::Deny.name(), Action::Allow.name(), Action::Respond.name(), Action::Pass.name()]); "What the host was told to do."
    Status "status" Shape::Number; "The HTTP status."
    Reason "reason" Shape::Word(|| Reason::ALL.iter().map(|reason| reason.name()).collect()); "Why: the name of a reason."
    Attempt "attempt" Shape::Word(|| ATTEMPTS.to_vec()); "What the refusal may have been an attempt at."
    Login "login" Shape::Flag; "A password was checked here, or this process saw this token or key from this address for the first time on this day."
    Step "step" Shape::Text(32); "The step that refused."
    Saw "saw" Shape::Text(768); "What that step saw. Never a query, a password or a token; a user name that nobody has is left out, since people type passwords there."
    Scheme "scheme" Shape::Word(|| Scheme::ALL.map(Scheme::name).to_vec()); "The scheme that was used or tried."
    Subject "subject" Shape::Text(256); "Who was recognised; with `issuer` the person."
    Issuer "issuer" Shape::Text(256); "`iss` of the token; left out for local users."
    Factors "factors" Shape::Texts(8, 24); "Factors that the login proved (RFC 8176)."
    Credential "credential" Shape::Digest; "A digest of the token or key under a key that lies in the state: equal for equal credentials, and no help in finding them."
    Client "client" Shape::Text(48); "The client's address, behind trusted proxies; `unknown` where they say something that is none."
    Peer "peer" Shape::Text(96); "The direct peer, where it is another than the client."
    Tls "tls" Shape::Flag; "The client's connection is TLS."
    Method "method" Shape::Text(32); "The method."
    Host "host" Shape::Text(256); "The host that the client named."
    Route "route" Shape::Text(256); "The pattern of the route that matched, not the path."
    RouteHost "route_host" Shape::Text(256); "The route's own host, where it has one."
    Line "line" Shape::Number; "The route's line in the policy file."
    RetryAfter "retry_after" Shape::Number; "Seconds until another try may succeed."
    Generation "generation" Shape::Number; "Which policy decided: 1 for the first, one more after each reload."
    User "user" Shape::Text(256); "The local user that it is about; of a refusal the one whose password was tried."
    Role "role" Shape::Text(128); "The role."
    Roles "roles" Shape::Texts(16, 64); "Roles; the first 16."
    Scopes "scopes" Shape::Texts(16, 64); "Scopes; the first 16."
    Key "key" Shape::Text(64); "The public id of the API key."
    Name "name" Shape::Text(256); "The operator's name for it."
    Source "source" Shape::Text(512); "The file or the address that an issuer's keys come from."
    Added "added" Shape::Texts(16, 48); "Keys that were not there before, by `kid`, or by thumbprint (RFC 7638) where they have none; the first 16."
    Removed "removed" Shape::Texts(16, 48); "Keys that are not there any more, likewise."
    Expires "expires" Shape::Time; "When it ends; left out: never."
    RevokedBy "revoked_by" Shape::Word(|| vec!["jti", "sid", "subject", "claims"]); "Which member of a token the revocation goes by; `claims`: a digest of them all, of a token that has no `jti`."
    Token "token" Shape::Text(256); "`jti` of the token; of a revoked one that has none the digest of its claims."
    Session "session" Shape::Text(256); "`sid` of the tokens."
    Before "before" Shape::Time; "Tokens that were issued before this time are revoked."
    Disabled "disabled" Shape::Flag; "The account may not come in yet."
    By "by" Shape::Text(96); "Who did it: the system's user that ran the command."
    Policy "policy" Shape::Text(512); "The policy file."
    Version "version" Shape::Text(32); "The release of the library."
    Message "message" Shape::Text(1024); "What went wrong, and what to do."
    Count "count" Shape::Number; "How many."
    ClientId "client_id" Shape::Text(256); "Who the token was issued to (OAuth), where that is said."
    Why "why" Shape::Word(|| WHY.to_vec()); "Why a refresh token was not taken. The client hears `invalid_grant` in each case."
    Seq "seq" Shape::Number; "The number of the line, from 1; it goes on when the file is moved away. With `chain` only."
    Mac "mac" Shape::Digest; "The seal: a keyed digest of this line and of the seal before it. Always the last member. With `chain` only."
}

/// Why a refresh token was not taken.
pub const WHY: [&str; 7] = ["malformed", "unknown", "expired", "revoked", "reused", "client", "signer"];

/// What every line begins with.
pub const ALWAYS: &[Member] = &[Member::Time, Member::Event, Member::Severity, Member::Engine, Member::Pid];

/// What a file with `chain` adds to every line.
pub const CHAIN: &[Member] = &[Member::Seq, Member::Mac];

macro_rules! kinds {
    ($( $variant:ident $name:literal $severity:ident; $about:literal [$($required:ident)*] [$($optional:ident)*] )*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $( #[doc = $about] $variant, )* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[ $( Kind::$variant, )* ];

            /// The word in the line.
            pub const fn name(self) -> &'static str {
                match self { $( Kind::$variant => $name, )* }
            }

            /// How much it asks for attention; a decision's own follows its reason.
            pub const fn severity(self) -> Severity {
                match self { $( Kind::$variant => Severity::$severity, )* }
            }

            /// What it means.
            pub const fn about(self) -> &'static str {
                match self { $( Kind::$variant => $about, )* }
            }

            /// The members that are always there, besides those of every line.
            pub const fn required(self) -> &'static [Member] {
                match self { $( Kind::$variant => &[ $( Member::$required, )* ], )* }
            }

            /// The members that may be there.
            pub const fn optional(self) -> &'static [Member] {
                match self { $( Kind::$variant => &[ $( Member::$optional, )* ], )* }
            }
        }
    };
}

kinds! {
    Decision "decision" Info; "A request was decided: every refusal, every answer of the engine's own, and of what was let in what `allowed` under `[events]` says."
        [Id Action Status Reason Client Generation]
        [Attempt Login Step Saw User Scheme Subject Issuer Factors Credential Peer Tls Method Host Route RouteHost Line RetryAfter]
    EngineStarted "engine_started" Info; "A process opened its state and decides from now on."
        [Version Generation] [Policy]
    EngineEnded "engine_ended" Info; "A process let go of its engine. Missing where it was killed."
        [] [Count]
    PolicyReloaded "policy_reloaded" Notice; "Another policy is in force."
        [Generation] [Policy]
    PolicyRefused "policy_refused" Error; "A policy was to be reloaded and does not load; the old one stays in force."
        [Generation Message] [Policy]
    StateFailed "state_failed" Error; "Housekeeping could not write to the state. Requests that could not be decided for such a reason have lines of their own."
        [Message] []
    EventsLost "events_lost" Error; "So many lines were not written, because the file could not be written or the queue was full. It stands where they would."
        [Count] [Message]
    KeysChanged "keys_changed" Notice; "Other keys of an issuer are in force: its file or its published set has changed."
        [Issuer Source] [Added Removed]
    KeysWarning "keys_warning" Warning; "Something about an issuer's published set is wrong, and its other keys are in force: entries that cannot be used are left out, of too many the first are taken, and keys of one `kid` are all tried."
        [Issuer Source Message] []
    KeysFailed "keys_failed" Error; "An issuer's keys could not be read anew. Those from before stay in force for the time being."
        [Issuer Source Message] []
    KeysExpired "keys_expired" Error; "An issuer's keys could not be read anew for so long (`stale`) that they are not believed any more: its tokens are refused with 503."
        [Issuer Source Message] []
    KeysRecovered "keys_recovered" Notice; "An issuer's keys can be read again, and are what they were."
        [Issuer Source] []
    UserAdded "user_added" Notice; "An account was made."
        [User] [Roles Disabled By]
    UserUpdated "user_updated" Notice; "An account was changed as a whole by an import: its password, roles, or whether it may come in."
        [User] [Roles Disabled By]
    UserRemoved "user_removed" Notice; "An account was removed, with its roles and API keys."
        [User] [By]
    UserDisabled "user_disabled" Notice; "An account may not come in any more."
        [User] [By]
    UserEnabled "user_enabled" Notice; "A disabled account may come in again."
        [User] [By]
    PasswordSet "password_set" Notice; "An account got a new password."
        [User] [By]
    PasswordRehashed "password_rehashed" Info; "At a good login a password was hashed anew, in the form that the policy asks for."
        [User] [By]
    RoleGranted "role_granted" Notice; "An account was given a role."
        [User Role] [By]
    RoleRevoked "role_revoked" Notice; "An account lost a role."
        [User Role] [By]
    KeyIssued "key_issued" Notice; "An API key was issued."
        [User Key Name] [Roles Scopes Expires By]
    KeyRevoked "key_revoked" Notice; "An API key was revoked."
        [Key] [User Name By]
    TokenRevoked "token_revoked" Notice; "A token, the tokens of a session or those of a person were revoked."
        [Issuer RevokedBy] [Token Session Subject Before Expires By]
    TokenIssued "token_issued" Info; "An access token was issued, and where `session` is there perhaps a refresh token. `credential` is the digest that a decision about it has."
        [User Issuer Token Expires Credential] [Session ClientId Scopes By]
    TokenRefreshed "token_refreshed" Info; "A refresh token was exchanged for an access token and the next refresh token."
        [User Issuer Token Expires Credential] [Session ClientId Scopes By]
    RefreshRepeated "refresh_repeated" Info; "A refresh token that was exchanged a moment ago came again and got the same answer: two tabs that asked at once, or an answer that was lost."
        [User Issuer Token Expires Credential] [Session ClientId Scopes By]
    RefreshReused "refresh_reused" Warning; "A used refresh token came again: it may have been stolen. All that came of its login is revoked."
        [Why Saw Credential] [User Issuer Session ClientId By]
    RefreshRefused "refresh_refused" Notice; "A refresh token was not taken."
        [Why Saw Credential] [User Issuer Session ClientId By]
}

impl Kind {
    /// A line of this kind may hold it.
    pub fn holds(self, member: Member) -> bool {
        [ALWAYS, CHAIN, self.required(), self.optional()].iter().any(|list| list.contains(&member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_is_there_twice_and_every_member_belongs_to_an_event() {
        let names: HashSet<_> = Member::ALL.iter().map(|member| member.name()).collect();
        assert_eq!(names.len(), Member::ALL.len());
        let kinds: HashSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
        for member in Member::ALL {
            assert!(Kind::ALL.iter().any(|kind| kind.holds(*member)), "{}", member.name());
            assert!(member.about().ends_with('.'), "{}", member.name());
        }
        for kind in Kind::ALL {
            for member in kind.required() {
                assert!(!kind.optional().contains(member), "{} {}", kind.name(), member.name());
            }
        }
    }

    #[test]
    fn the_longest_line_of_any_kind_is_written_to_a_pipe_in_one_piece() {
        for kind in Kind::ALL {
            let members = [ALWAYS, CHAIN, kind.required(), kind.optional()].concat();
            let longest: usize = members
                .iter()
                .map(|member| {
                    let value = match member.shape() {
                        Shape::Time => 24,
                        Shape::Word(words) => words().iter().map(|word| word.len()).max().unwrap(),
                        Shape::Text(most) => most,
                        Shape::Texts(count, most) => count * (most + 3),
                        Shape::Digest => 44,
                        Shape::Number => 20,
                        Shape::Flag => 5,
                    };
                    member.name().len() + value + 6
                })
                .sum();
            assert!(longest + 3 <= 4096, "{}: {longest}, and PIPE_BUF is 4096", kind.name());
        }
    }
}
