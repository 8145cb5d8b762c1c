//! Signature algorithms of JOSE (RFC 7518, RFC 8037, RFC 9964).

macro_rules! algorithms {
    ($( $variant:ident $name:literal $family:ident )*) => {
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
    Hs256 "HS256" Hmac
    Hs384 "HS384" Hmac
    Hs512 "HS512" Hmac
    Rs256 "RS256" Rsa
    Rs384 "RS384" Rsa
    Rs512 "RS512" Rsa
    Ps256 "PS256" RsaPss
    Ps384 "PS384" RsaPss
    Ps512 "PS512" RsaPss
    Es256 "ES256" Ecdsa
    Es384 "ES384" Ecdsa
    Es512 "ES512" Ecdsa
    EdDsa "EdDSA" EdDsa
    Ed25519 "Ed25519" EdDsa
    MlDsa44 "ML-DSA-44" MlDsa
    MlDsa65 "ML-DSA-65" MlDsa
    MlDsa87 "ML-DSA-87" MlDsa
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

    /// Octets of a signature where they do not depend on the key.
    pub const fn signature_length(self) -> Option<usize> {
        match self {
            Algorithm::Hs256 => Some(32),
            Algorithm::Hs384 => Some(48),
            // Ed25519: RFC 8032; ES256: both numbers in full length (RFC 7518 section 3.4).
            Algorithm::Hs512 | Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Ed25519 => Some(64),
            Algorithm::Es384 => Some(96),
            Algorithm::Es512 => Some(132),
            Algorithm::MlDsa44 => Some(2420),
            Algorithm::MlDsa65 => Some(3309),
            Algorithm::MlDsa87 => Some(4627),
            _ => None,
        }
    }
}
