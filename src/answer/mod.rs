//! What a refusal looks like on the wire: challenges and problem details.
