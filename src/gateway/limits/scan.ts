import type { Body } from '../../core/body.ts'

/** What a body is made of, as far as its tokens go. */
export interface Size {
  /** Bytes of ASCII; of other scripts as many as stand for the same number of tokens. */
  readonly textBytes: number
  /** Images and files in base64. */
  readonly media: number
}

/**
 * Weighs a body without parsing or joining it. Base64 is no text: it is found as a block without a space, a bracket or anything
 * else that base64 has not, and is passed over up to the quote that ends it.
 *
 * It costs as much as `topLevelFields` (core/fields.ts) up to `wholeBytesMax` of text, beyond it a fifth of that: there only one block in
 * `sampleEvery` is looked at, and stands for all.
 */
export function sizeOf(body: Body): Size {
  const scan: Scan = { lookedAt: 0, textBytes: 0, media: 0, inMedia: false, inWord: false }
  for (const chunk of body.chunks) scanChunk(chunk, scan)
  return { textBytes: Math.max(0, Math.round(scan.textBytes)), media: scan.media }
}

/** So much text is looked at byte by byte; of more, the part that is in other scripts is known well enough by an eighth. */
const wholeBytesMax = 64 * 1024
const sampleEvery = 8

/** Base64 shorter than this is text: an id, a hash, a signature. */
const blockBytes = 256

/** Base64 is passed over in steps of so many bytes, so that no search runs far ahead in what turns out to be text. */
const stepBytes = 4096

interface Scan {
  lookedAt: number
  textBytes: number
  media: number
  /** In the midst of base64, also from one chunk to the next. */
  inMedia: boolean
  /** In the midst of what could be base64 by its letters, and is not. */
  inWord: boolean
}

function scanChunk(chunk: Buffer, scan: Scan): void {
  let at = 0
  while (at < chunk.length) at = scan.inMedia ? passMedia(chunk, at, scan) : weighBlock(chunk, at, scan)
}

/** Weighs a block as text, unless base64 goes on in it. Gives back where to go on. */
function weighBlock(chunk: Buffer, at: number, scan: Scan): number {
  const end = Math.min(at + blockBytes, chunk.length)
  const sum = sumOf(chunk, at, end)
  if (sum >= foreign) scan.inWord = false
  else if (end - at === blockBytes && !scan.inWord) {
    const start = mediaStart(chunk, at)
    if (start !== undefined && isBase64(chunk, at, stepEnd(chunk, at))) {
      scan.inMedia = true
      scan.media += 1
      // What came before in the same base64 was counted as text.
      scan.textBytes -= at - start
      return at
    }
    scan.inWord = true
  }
  // Beyond what is looked at as a whole, a block stands for those after it.
  const next = scan.lookedAt < wholeBytesMax ? end : Math.min(at + sampleEvery * blockBytes, chunk.length)
  scan.textBytes += ((sum % foreign) * (next - at)) / (end - at)
  scan.lookedAt += end - at
  return next
}

/** Goes on to the quote that ends the base64, or a step further. */
function passMedia(chunk: Buffer, at: number, scan: Scan): number {
  const end = stepEnd(chunk, at)
  scan.inMedia = isBase64(chunk, at, end)
  if (!scan.inMedia) return at
  scan.inMedia = chunk[end] !== quote
  return end
}

/** Where the next quote is, or as far as a step goes. */
function stepEnd(chunk: Buffer, at: number): number {
  const step = chunk.subarray(at, at + stepBytes)
  const found = step.indexOf(quote)
  return at + (found === -1 ? step.length : found)
}

/**
 * The one loop that runs over every byte, without a branch: a wrong guess of the processor's costs as much as ten bytes.
 * The `| 0` keeps the sum from becoming a double, which would cost a quarter more.
 */
function sumOf(chunk: Buffer, start: number, end: number): number {
  let sum = 0
  for (let at = start; at < end; at += 1) sum = (sum + (worth[chunk[at] as number] as number)) | 0
  return sum
}

/** Where the base64 that goes on here began; undefined for text, which does not begin right after a quote or `;base64,`. */
function mediaStart(chunk: Buffer, at: number): number | undefined {
  const first = Math.max(0, at - blockBytes)
  let start = at
  while (start > first && (worth[chunk[start - 1] as number] as number) < foreign) start -= 1
  if (start === first) return start
  const before = chunk[start - 1]
  return before === quote || before === comma ? start : undefined
}

/** Is all of this base64, by a few of its bytes? Of what can be escaped it has only the slash. */
function isBase64(chunk: Buffer, start: number, end: number): boolean {
  const every = Math.max(1, Math.floor((end - start) / samples))
  for (let at = start; at < end; at += every) if ((worth[chunk[at] as number] as number) >= foreign) return false
  const escape = chunk.subarray(start, end).indexOf(backslash)
  return escape === -1 || start + escape + 1 >= end || chunk[start + escape + 1] === slash
}

const quote = 34
const comma = 44
const slash = 47
const backslash = 92

/** How many bytes of a step are looked at. */
const samples = 64

/** Added for what is no base64: more than a block of text can be worth. */
const foreign = 4096

/**
 * What each byte is worth in bytes of English text. Asian characters are mostly a token each, as are four English letters; letters of
 * other alphabets two to a token. What follows the first byte of a character is worth nothing.
 */
const worth = Uint16Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0xe0) return foreign + 4
  if (byte >= 0xc0) return foreign + 2
  if (byte >= 0x80) return foreign
  return /[\w+/=\\-]/.test(String.fromCharCode(byte)) ? 1 : foreign + 1
})
