//! The status codes of gRPC.

use std::{fmt, str::FromStr};

macro_rules! codes {
    ($($code:ident = $number:literal, $word:literal, $doc:literal;)*) => {
        /// A status code of gRPC, as <https://grpc.github.io/grpc/core/md_doc_statuscodes.html> has them.
        ///
        /// ```
        /// # extern crate portcullis_core as portcullis;
        /// use portcullis::GrpcCode;
        ///
        /// assert_eq!("UNAVAILABLE".parse(), Ok(GrpcCode::Unavailable));
        /// assert_eq!(GrpcCode::from_number(14), Some(GrpcCode::Unavailable));
        /// assert_eq!(GrpcCode::Unavailable.as_str(), "UNAVAILABLE");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum GrpcCode {
            $(#[doc = $doc] $code = $number,)*
        }

        impl GrpcCode {
            /// Every code, by its number.
            pub const ALL: [Self; 17] = [$(Self::$code,)*];

            /// The code's word, as specifications and service configurations write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)*
                }
            }
        }
    };
}

codes! {
    Ok = 0, "OK", "Success.";
    Cancelled = 1, "CANCELLED", "The caller gave up.";
    Unknown = 2, "UNKNOWN", "An error that tells nothing.";
    InvalidArgument = 3, "INVALID_ARGUMENT", "The request is wrong whatever the server's state.";
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED", "Not done in time.";
    NotFound = 5, "NOT_FOUND", "What was asked for does not exist.";
    AlreadyExists = 6, "ALREADY_EXISTS", "What was to be made exists.";
    PermissionDenied = 7, "PERMISSION_DENIED", "The caller may not.";
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED", "A quota or the space has run out.";
    FailedPrecondition = 9, "FAILED_PRECONDITION", "The server's state does not allow it.";
    Aborted = 10, "ABORTED", "A conflict between callers.";
    OutOfRange = 11, "OUT_OF_RANGE", "Past the valid range.";
    Unimplemented = 12, "UNIMPLEMENTED", "The server does not know the method.";
    Internal = 13, "INTERNAL", "The server is broken.";
    Unavailable = 14, "UNAVAILABLE", "The server cannot answer now.";
    DataLoss = 15, "DATA_LOSS", "Data is lost.";
    Unauthenticated = 16, "UNAUTHENTICATED", "The caller is not known.";
}

impl GrpcCode {
    /// The code of this number, if there is one.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word or number that is no code of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownGrpcCode;

impl fmt::Display for UnknownGrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no gRPC status code: allowed are words such as UNAVAILABLE, in any case")
    }
}

impl std::error::Error for UnknownGrpcCode {}

/// By its word, in any case.
impl FromStr for GrpcCode {
    type Err = UnknownGrpcCode;

    fn from_str(word: &str) -> Result<Self, UnknownGrpcCode> {
        Self::ALL.into_iter().find(|code| code.as_str().eq_ignore_ascii_case(word)).ok_or(UnknownGrpcCode)
    }
}

/// A set of codes.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::{GrpcCode, GrpcCodes};
///
/// let codes = GrpcCodes::from([GrpcCode::Unavailable, GrpcCode::Aborted]);
/// assert!(codes.contains(GrpcCode::Aborted) && !codes.contains(GrpcCode::Internal));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct GrpcCodes(u32);

impl GrpcCodes {
    /// Whether a code is in it.
    pub const fn contains(self, code: GrpcCode) -> bool {
        self.0 & (1 << code as u32) != 0
    }

    /// Those in it, by number.
    pub fn iter(self) -> impl Iterator<Item = GrpcCode> {
        GrpcCode::ALL.into_iter().filter(move |&code| self.contains(code))
    }
}

impl FromIterator<GrpcCode> for GrpcCodes {
    fn from_iter<I: IntoIterator<Item = GrpcCode>>(codes: I) -> Self {
        Self(codes.into_iter().fold(0, |set, code| set | 1 << code as u32))
    }
}

impl<const N: usize> From<[GrpcCode; N]> for GrpcCodes {
    fn from(codes: [GrpcCode; N]) -> Self {
        codes.into_iter().collect()
    }
}

impl fmt::Debug for GrpcCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_number_and_its_word() {
        for (number, code) in GrpcCode::ALL.into_iter().enumerate() {
            assert_eq!(GrpcCode::from_number(number as u64), Some(code));
            assert_eq!(code as usize, number);
            assert_eq!(code.as_str().to_lowercase().parse(), Ok(code));
            assert_eq!(GrpcCodes::from([code]).iter().collect::<Vec<_>>(), [code]);
        }
        assert_eq!(GrpcCode::from_number(17), None);
        assert_eq!("UNAVAILABLE ".parse::<GrpcCode>(), Err(UnknownGrpcCode));
    }
}
