import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact } from './redact.ts'

const cases: [sentence: string, text: string, clean: string][] = [
  ['an Anthropic key', 'bad key sk-ant-api03-abcdef', 'bad key [key]'],
  ['an OpenAI key, masked', 'Incorrect API key provided: sk-proj-****wxyz.', 'Incorrect API key provided: [key].'],
  ['a Google key', 'API key AIzaSyA1234567890 is leaked', 'API key [key] is leaked'],
  ['an xAI key', 'key xai-abcdef1234', 'key [key]'],
  [
    'OpenAI’s organization',
    'Rate limit reached for gpt-5 in organization org-abcdefgh123 on tokens per min',
    'Rate limit reached for gpt-5 on tokens per min',
  ],
  [
    'Anthropic’s organization',
    'rate limit of 30,000 input tokens per minute (org: 1234-abcd, model: claude-x)',
    'rate limit of 30,000 input tokens per minute (model: claude-x)',
  ],
  ['xAI’s team', 'Your team 01234567-89ab-cdef-0123-456789abcdef has used all', 'Your team has used all'],
  [
    'xAI’s team and key in brackets',
    'refused. Team: 01234567-89ab-cdef-0123-456789abcdef, API key ID: 01234567-89ab-cdef-0123-456789abcdef',
    'refused. Team',
  ],
  ['nothing of the kind', 'messages.0.content: Field required', 'messages.0.content: Field required'],
]

for (const [sentence, text, clean] of cases) {
  test(`redact: ${sentence}`, () => assert.equal(redact(text), clean))
}
