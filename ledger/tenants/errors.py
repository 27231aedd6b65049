"""What an administrator cannot be given: each says what is wrong, and none is a fault of ours."""


class UnknownTenantError(Exception):
    """A credential was asked for a tenant that there is not."""


class UnknownMerchantError(Exception):
    """An origin was named for a merchant that there is not."""


class UnknownCredentialError(Exception):
    """A credential was named that there is not."""


class CredentialEndedError(Exception):
    """A credential was to be replaced that is revoked, or replaced already."""


class OutcomeUnknownError(Exception):
    """The connection broke during the commit and the log stays away: it may have been done."""
