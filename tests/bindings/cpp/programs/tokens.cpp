// Tokens outside of requests, and passwords.
#include "check.hpp"

using namespace gatepost;

namespace {

void issued_and_verified(const Engine& engine) {
    TokenRequest wanted;
    wanted.user = "alice";
    wanted.signer = "access";
    wanted.client_id = "phone";
    wanted.session = "s1";
    wanted.claims = R"({"tenant":"tea"})";
    wanted.scopes = {"orders:read", "orders:write"};
    wanted.audience = {"orders"};
    wanted.factors = {"pwd", "otp"};
    wanted.lifetime = std::chrono::minutes(9);
    wanted.authenticated_at = 1'700'000'000;
    wanted.refresh = true;
    auto tokens = must(engine.issue_token(wanted));
    CHECK(tokens.user() == "alice" && tokens.session() == "s1" && tokens.scope() == "orders:read orders:write");
    CHECK(tokens.expires_in().count() == 540 && tokens.expires_at() > 1'700'000'000 &&
          tokens.refresh_expires_at() > tokens.expires_at());
    CHECK(!tokens.refresh_token().empty() && !tokens.token_id().empty() && tokens.json().front() == '{');

    const auto verified = must(engine.verify_token(tokens.access_token()));
    CHECK(verified && verified.good() && verified.status() == 200 && verified.reason() == Reason::allowed);
    CHECK(verified.subject() == "alice" && verified.roles() == std::vector<std::string>({"clerk"}) &&
          verified.scopes() == std::vector<std::string>({"orders:read", "orders:write"}));
    CHECK(verified.token_id() == tokens.token_id() && verified.session_id() == "s1" &&
          verified.issuer_name() == "access");
    CHECK(verified.expires_at() == tokens.expires_at() && verified.expires_at() - verified.issued_at() == 540);
    for (const std::string_view part :
         {R"("tenant":"tea")", R"("auth_time":1700000000)", R"("pwd")", R"("client_id":"phone")"}) {
        CHECK(verified.claims().find(part) != std::string_view::npos);
    }
    CHECK(verified.detail().empty() && verified.issuer().empty() && verified.reason_name() == "allowed");

    // As of a time, and broken.
    CHECK(must(engine.verify_token(tokens.access_token(), tokens.expires_at() + 3600)).reason() ==
          Reason::token_expired);
    const auto bad = must(engine.verify_token("no token"));
    CHECK(!bad && bad.reason() == Reason::token_malformed && bad.status() == 401 && !bad.detail().empty() &&
          bad.subject().empty());
    CHECK(bad.claims().empty() && bad.expires_at() == 0 && bad.reason_name() == "token_malformed");

    // Moved away, it is refused.
    auto moving = must(engine.verify_token(tokens.access_token()));
    const Verified moved = std::move(moving);
    CHECK(moved.good() && !moving.good() && moving.status() == 500 && moving.reason() == Reason::internal);  // NOLINT
    Tokens others = std::move(tokens);
    CHECK(!others.access_token().empty() && tokens.access_token().empty());  // NOLINT
    tokens = std::move(others);
    CHECK(!tokens.access_token().empty() && others.json().empty());  // NOLINT
    CHECK(!Verified(nullptr).good() && Tokens(nullptr).access_token().empty());

    wanted.user = "nobody";
    CHECK(engine.issue_token(wanted).status() == Status::conflict);
    wanted.user = "alice";
    wanted.claims = "{";
    CHECK(engine.issue_token(wanted).status() == Status::invalid_argument &&
          !engine.issue_token(wanted).error().message().empty());
}

void refreshed(const Engine& engine) {
    TokenRequest wanted;
    wanted.user = "alice";
    wanted.client_id = "phone";
    wanted.scopes = {"a", "b"};
    wanted.refresh = true;
    const auto first = must(engine.issue_token(wanted));
    RefreshRequest refresh;
    refresh.token = first.refresh_token();
    refresh.client_id = "phone";
    refresh.scopes = {"a"};
    const auto second = must(engine.refresh_token(refresh));
    CHECK(second.scope() == "a" && second.session() == first.session() &&
          second.refresh_token() != first.refresh_token());
    refresh.now = first.expires_at() + 30 * 24 * 3600 + 3600;
    refresh.token = second.refresh_token();
    CHECK(engine.refresh_token(refresh).status() == Status::refused);
    refresh.now = 0;
    refresh.client_id = "another";
    CHECK(engine.refresh_token(refresh).status() == Status::refused);
    refresh.client_id = "phone";
    refresh.scopes = {"a", "c"};
    CHECK(engine.refresh_token(refresh).status() == Status::invalid_argument);
}

void revoked(const Engine& engine) {
    const auto issue = [&](std::string_view session) {
        TokenRequest wanted;
        wanted.user = "alice";
        wanted.session = session;
        return must(engine.issue_token(wanted));
    };
    const auto reason = [&](const Tokens& tokens) { return must(engine.verify_token(tokens.access_token())).reason(); };
    const auto one = issue("a"), two = issue("a"), three = issue("b"), four = issue("b"), five = issue("c");
    must(engine.revoke_tokens(Revocation::of_token(one.access_token())));
    CHECK(reason(one) == Reason::token_revoked && reason(two) == Reason::allowed);
    must(engine.revoke_tokens(Revocation::of_token_id("access", two.token_id()).until(two.expires_at())));
    CHECK(reason(two) == Reason::token_revoked && reason(three) == Reason::allowed);
    must(engine.revoke_tokens(Revocation::of_session("access", "b")));
    CHECK(reason(three) == Reason::token_revoked && reason(four) == Reason::token_revoked &&
          reason(five) == Reason::allowed);
    const auto issued = five.expires_at() - five.expires_in().count();
    must(engine.revoke_tokens(Revocation::of_user("alice").before(issued + 1)));
    CHECK(reason(five) == Reason::token_revoked);
    must(engine.revoke_tokens(Revocation::of_subject("access", "alice").before(1)));
    CHECK(!engine.revoke_tokens(Revocation::of_user("alice").before(five.expires_at())));
    CHECK(!engine.revoke_tokens(Revocation::of_token_id("nobody", "x")));
    CHECK(engine.revoke_tokens(Revocation::of_token("no token")).status() == Status::invalid_argument);
    CHECK(!engine.revoke_tokens(Revocation::of_token({})));
}

void passwords(const Engine& engine) {
    const auto hash = must(engine.hash_password("four cups of green tea"));
    CHECK(hash.view().substr(0, 10) == "$argon2id$" && hash.view().data()[hash.view().size()] == '\0');
    CHECK(must(verify_password("four cups of green tea", hash)) && !must(verify_password("four cups of tea", hash)));
    CHECK(!must(engine.needs_rehash(hash)) && must(engine.needs_rehash(must(hash_password("tea")))));
    CHECK(verify_password("tea", "no hash").status() == Status::unsupported && must(engine.needs_rehash("no hash")));
    CHECK(hash_password("\x01").status() == Status::invalid_argument &&
          !hash_password("\x01").error().message().empty());
    CHECK(Bytes().view().empty());
}

}  // namespace

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    issued_and_verified(engine);
    refreshed(engine);
    revoked(engine);
    passwords(engine);
    return 0;
}
