/**
 * How long after it was issued a token is taken at most, whatever it says of its end: a year and a day. So what was revoked can
 * be forgotten when such tokens are too old.
 */
export const MAX_TOKEN_AGE_MS = 366 * 24 * 60 * 60 * 1000
