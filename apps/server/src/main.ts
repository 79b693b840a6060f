#!/usr/bin/env node
import { run } from './run.js'

// What any command writes, backups and exports included, is private to the user who runs it.
process.umask(0o077)

process.exitCode = await run(process.argv.slice(2), process.env, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
