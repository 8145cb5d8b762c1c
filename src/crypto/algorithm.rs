//! Signature algorithms of JOSE (RFC 7518, RFC 8037, RFC 9964).

macro_rules! algorithms {
    ($( $variant:ident $name:literal $family:ident $built:literal )*) => {
        /// A JWS algorithm. `none` is not among them.
        #[allow(missing_docs, reason = "the names are the registered ones")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Algorithm { $( $variant, )* }

        impl Algorithm {
            /// All registered ones that a policy may name.
            pub const ALL: &'static [Algorithm] = &[ $( Algorithm::$variant, )* ];

            /// The registered name.
            pub const fn name(self) -> &'static str {
                match self { $( Algorithm::$variant => $name, )* }
            }

            /// The kind of key that it needs.
            pub const fn family(self) -> Family {
                match self { $( Algorithm::$variant => Family::$family, )* }
            }

            /// This version can verify it.
            pub const fn is_built(self) -> bool {
                match self { $( Algorithm::$variant => $built, )* }
            }
        }
    };
}

/// The kind of key that an algorithm needs.
#[allow(missing_docs, reason = "the names are those of the key types")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    Hmac,
    Rsa,
    RsaPss,
    Ecdsa,
    EdDsa,
    MlDsa,
}

algorithms! {
    Hs256 "HS256" Hmac true
    Hs384 "HS384" Hmac true
    Hs512 "HS512" Hmac true
    Rs256 "RS256" Rsa false
    Rs384 "RS384" Rsa false
    Rs512 "RS512" Rsa false
    Ps256 "PS256" RsaPss false
    Ps384 "PS384" RsaPss false
    Ps512 "PS512" RsaPss false
    Es256 "ES256" Ecdsa false
    Es384 "ES384" Ecdsa false
    Es512 "ES512" Ecdsa false
    EdDsa "EdDSA" EdDsa false
    Ed25519 "Ed25519" EdDsa false
    MlDsa44 "ML-DSA-44" MlDsa false
    MlDsa65 "ML-DSA-65" MlDsa false
    MlDsa87 "ML-DSA-87" MlDsa false
}

impl Algorithm {
    /// The algorithm with this registered name; case matters.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// HS256, HS384, HS512: the key is a shared secret.
    pub fn is_symmetric(self) -> bool {
        self.family() == Family::Hmac
    }

    /// Least length of a shared secret, octets (RFC 7518 section 3.2); 0 for the others.
    pub const fn least_secret(self) -> usize {
        match self {
            Algorithm::Hs256 => 32,
            Algorithm::Hs384 => 48,
            Algorithm::Hs512 => 64,
            _ => 0,
        }
    }
}
