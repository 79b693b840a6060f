/** The command line was not understood. The message says what about it. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The command was understood and cannot be done. The message says why. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** What `parley --help` prints. */
export const USAGE = `parley: conversations that people keep on several devices, kept and merged

  parley serve                      run the server
  parley import [FILE]              take in an export, conversations or messages; - or no FILE reads standard input
  parley export --user UID          print all there is of a user as JSON, for parley import
  parley inspect --user UID         print how much is stored of a user, and in what condition
  parley revoke --user UID          refuse the tokens that a user has, and end connections
  parley forget --user UID          erase all that is stored of a user
  parley backup DIR                 write all that is stored into a new folder
  parley restore DIR                put a backup into an empty data folder
  parley verify [--repair]          look for damage; save what is sound, with the server stopped

serve
  --host HOST       address to listen on            PARLEY_HOST      127.0.0.1
  --port PORT       port, 0 for any that is free    PARLEY_PORT      4300
  --data DIR        data folder                     PARLEY_DATA      .parley
  --store STORE     level; postgres, for several    PARLEY_STORE     level
                    servers; memory to try out
                    where PostgreSQL is             PARLEY_DATABASE_URL
                    where Redis is, by which the    PARLEY_REDIS_URL none
                    servers tell each other
  --auth AUTH       open: no passwords, this machine PARLEY_AUTH     open
                    only; jwt: tokens signed with   PARLEY_JWT_SECRET, or with
                    a secret or published keys      the keys at PARLEY_JWKS_URL
                    what tokens must say besides    PARLEY_JWT_ISSUER, PARLEY_JWT_AUDIENCE
  --origin ORIGIN   a web page's origin that may    PARLEY_ORIGINS   its own address
                    connect; may be repeated, and
                    the variable separates by commas
                    reverse proxies to believe, as  PARLEY_TRUST_PROXY none
                    addresses or networks
                    limits, such as                 PARLEY_LIMITS
                    connectionsPerUser=20,messagesPerUser=100/5000
  --tls-cert FILE   certificate and key in PEM, to   PARLEY_TLS_CERT  none
  --tls-key FILE    speak TLS; read again on SIGHUP  PARLEY_TLS_KEY   none
  --web DIR         a built web app to serve        PARLEY_WEB       none
                    what an IM server must know     PARLEY_INGEST_TOKEN
                    to bring messages by HTTP
                    the token in the path of a      PARLEY_WEBHOOK_TOKEN
                    webhook, /v1/webhook/TOKEN
                    secrets being replaced, which   PARLEY_JWT_SECRET_PREVIOUS,
                    stay valid beside the new ones  PARLEY_INGEST_TOKEN_PREVIOUS,
                                                    PARLEY_WEBHOOK_TOKEN_PREVIOUS
                    the API of a WuKongIM server    PARLEY_WUKONG_URL
                    that tells its clients of       PARLEY_WUKONG_TOKEN
                    changes, and its managerToken
                    what Prometheus must show       PARLEY_METRICS_TOKEN
                    to read /metrics
                    seconds to serve on after a     PARLEY_STOP_DELAY 1
                    signal, no longer ready; and    PARLEY_DRAIN 2
                    to close connections over
  --keep KEEP       of messages: payload, digest    PARLEY_KEEP      payload
                    or nothing
                    silent, error, warn, info or    PARLEY_LOG_LEVEL warn
                    debug, to standard error

import, export, inspect, revoke, forget, backup, restore, verify
  --user UID        whose conversations; import: may be left out for an export, which names its user
  --data DIR        data folder                     PARLEY_DATA      .parley
                    seconds to wait for a server    PARLEY_COMMAND_TIMEOUT 600
                    that has the data folder open
  --store STORE     level or postgres, as above     PARLEY_STORE     level
  --device ID       revoke: only the tokens of one device
  --create          import: make the data folder where there is none
  --readable        export: without the document, to read and to compare; it cannot be imported
  --before TIME     revoke: only tokens issued before, such as 2026-01-31T12:00:00Z; now, if left out

Each variable with a secret in it may be in a file instead, such as PARLEY_JWT_SECRET_FILE=/etc/parley/jwt. The audit log of what commands do is
audit.jsonl in the data folder, or where PARLEY_AUDIT_LOG says.

FILE holds what parley export printed, what WuKongIM's or TangSengDaoDao's /conversation/sync answers, or messages as WuKongIM's webhook msg.notify
sends them, one JSON object a line; it may be gzipped. While a server has the data folder open, the commands work through it;
while another command has it, they wait for that one. Only serve, restore and import --create make a data folder.
`
