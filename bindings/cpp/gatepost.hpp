/// \file
/// Gatepost for C++17: header only, on top of gatepost.h and libgatepost.
///
/// \code
/// auto engine = gatepost::Engine::open("orders.toml").value();
/// engine.start().value();
/// auto decision = engine.decide(gatepost::Request("GET", "/orders/7").peer("192.0.2.7").headers(fields)).value();
/// if (decision.answers()) { ... send decision.status(), decision.response_headers(), decision.body() ... }
/// \endcode
///
/// The rules of gatepost.h hold here too, and these:
///
/// - Handles end themselves. They can be moved and not copied, but for Engine, whose copies are references to one
///   engine. Ends in any order are right: what needs an engine holds it.
/// - What goes in is borrowed for the call. What comes out, a std::string_view above all, lives as long as the object
///   that it was taken from.
/// - Calls that can fail return a Result. Result::value() throws the Error; programs without exceptions ask for it
///   first. An Error where a Decision should be means that the host must refuse.
/// - const functions may be called by any number of threads at once; others by one at a time.
/// - What the host hands in as a function must not throw: it is called through C, and std::terminate ends it.
#ifndef GATEPOST_HPP
#define GATEPOST_HPP

#include "gatepost/engine.hpp"

#endif
