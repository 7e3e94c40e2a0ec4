//! AWS's errors: code, status and message. The codes are those on the wire, with their inconsistent suffixes.

/// An AWS error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are AWS's, and documented there")]
pub enum AwsErrorCode {
    AccessDenied,
    ExpiredToken,
    ExpiredTokenException,
    IdpCommunicationError,
    IdpRejectedClaim,
    IncompleteSignature,
    InternalFailure,
    InvalidAction,
    InvalidClientTokenId,
    InvalidIdentityToken,
    InvalidParameterValue,
    MalformedInput,
    MalformedPolicyDocument,
    MissingAction,
    MissingAuthenticationToken,
    PackedPolicyTooLarge,
    RegionDisabledException,
    ServiceUnavailable,
    SignatureDoesNotMatch,
    Throttling,
    ValidationError,
}

impl AwsErrorCode {
    /// The `Code` element.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::ExpiredToken => "ExpiredToken",
            Self::ExpiredTokenException => "ExpiredTokenException",
            Self::IdpCommunicationError => "IDPCommunicationError",
            Self::IdpRejectedClaim => "IDPRejectedClaim",
            Self::IncompleteSignature => "IncompleteSignature",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidAction => "InvalidAction",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::InvalidIdentityToken => "InvalidIdentityToken",
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::MalformedInput => "MalformedInput",
            Self::MalformedPolicyDocument => "MalformedPolicyDocument",
            Self::MissingAction => "MissingAction",
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::PackedPolicyTooLarge => "PackedPolicyTooLarge",
            Self::RegionDisabledException => "RegionDisabledException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::Throttling => "Throttling",
            Self::ValidationError => "ValidationError",
        }
    }

    /// The HTTP status of the code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::AccessDenied
            | Self::ExpiredToken
            | Self::IdpRejectedClaim
            | Self::InvalidClientTokenId
            | Self::MissingAuthenticationToken
            | Self::RegionDisabledException
            | Self::SignatureDoesNotMatch => 403,
            Self::ExpiredTokenException
            | Self::IdpCommunicationError
            | Self::IncompleteSignature
            | Self::InvalidAction
            | Self::InvalidIdentityToken
            | Self::InvalidParameterValue
            | Self::MalformedInput
            | Self::MalformedPolicyDocument
            | Self::MissingAction
            | Self::PackedPolicyTooLarge
            | Self::Throttling
            | Self::ValidationError => 400,
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
        }
    }

    /// The `Type` element: whose fault it is.
    pub(super) fn blame(self) -> &'static str {
        if self.status() < 500 { "Sender" } else { "Receiver" }
    }

    /// AWS's default message for the code.
    fn usual_message(self) -> &'static str {
        match self {
            Self::AccessDenied => "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            Self::ExpiredToken => "The security token included in the request is expired",
            Self::ExpiredTokenException => {
                "The web identity token that was passed is expired or is not valid."
            }
            Self::IdpCommunicationError => "Error communicating with the identity provider",
            Self::IdpRejectedClaim => "The identity provider rejected the claim",
            Self::IncompleteSignature => "The request signature does not conform to AWS standards.",
            Self::InternalFailure => "The request processing has failed because of an unknown error.",
            Self::InvalidAction => "The action or operation requested is invalid.",
            Self::InvalidClientTokenId => "The security token included in the request is invalid.",
            Self::InvalidIdentityToken => {
                "Couldn't retrieve verification key from your identity provider,  please reference \
                 AssumeRoleWithWebIdentity documentation for requirements"
            }
            Self::InvalidParameterValue => "A parameter has a value that is not valid.",
            Self::MalformedInput => "The request is malformed.",
            Self::MalformedPolicyDocument => "The policy is not in the valid JSON format.",
            Self::MissingAction => "The request is missing an action.",
            Self::MissingAuthenticationToken => "Request is missing Authentication Token",
            Self::PackedPolicyTooLarge => {
                "Packed policy consumes 142% of allotted space, please use smaller policy."
            }
            Self::RegionDisabledException => "STS is not activated in this region for account",
            Self::ServiceUnavailable => "The request has failed due to a temporary failure of the server.",
            Self::SignatureDoesNotMatch => {
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
            }
            Self::Throttling => "Rate exceeded",
            Self::ValidationError => {
                "The input fails to satisfy the constraints specified by an AWS service."
            }
        }
    }
}

/// An AWS error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// Its code.
    pub code: AwsErrorCode,
    /// Its message.
    pub message: String,
}

impl AwsError {
    /// An error with its own message.
    #[must_use]
    pub fn new(code: AwsErrorCode, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }
}

impl From<AwsErrorCode> for AwsError {
    fn from(code: AwsErrorCode) -> Self {
        Self::new(code, code.usual_message())
    }
}
