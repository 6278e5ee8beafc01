/** Where a wrong path probably meant to go: people leave parts out, double them, or take another API's. */
const near: readonly (readonly [RegExp, string])[] = [
  [
    /:(generateContent|streamGenerateContent|countTokens)$/,
    "Gemini's API is not offered to callers; POST /v1/chat/completions is.",
  ],
  [/\/messages\/count_tokens\/?$/, 'Did you mean POST /v1/messages/count_tokens?'],
  [/\/messages?\/?$/, 'Did you mean POST /v1/messages?'],
  [/\/chat(\/completions?)?\/?$/, 'Did you mean POST /v1/chat/completions?'],
  [/\/models(\/[^/]+)?\/?$/, 'Did you mean GET /v1/models?'],
  [/\/responses(\/|$)/, 'The Responses API is not offered here; POST /v1/chat/completions is.'],
  [
    /\/(completions|complete)\/?$/,
    'Text completions are not offered here; POST /v1/chat/completions and POST /v1/messages are.',
  ],
  [
    /\/(embeddings|files|batches|images|audio|moderations|assistants|threads|fine_tuning|vector_stores)(\/|$)/,
    'This API is not offered here; POST /v1/messages, POST /v1/chat/completions and GET /v1/models are.',
  ],
]

/** What to say of a path that leads nowhere; undefined where it is like nothing known. */
export function pathHint(path: string): string | undefined {
  return near.find(([pattern]) => pattern.test(path))?.[1]
}
