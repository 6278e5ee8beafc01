import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { Body } from '../../core/body.ts'
import { sizeOf, type Size } from './scan.ts'

const words = 'The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. '
const english = words.repeat(60)
/** Every value of a byte, as pictures have them. */
const picture = Buffer.from(Array.from({ length: 9000 }, (_, at) => (at * 31 + (at >> 3)) & 255)).toString('base64')

/** As a caller sends it, in pieces of so many bytes. */
function sizeIn(json: unknown, pieceBytes = 65_536): Size {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) chunks.push(bytes.subarray(at, at + pieceBytes))
  return sizeOf(new Body(chunks))
}

suite('scan: text', () => {
  test('English counts as the bytes that it has', () => {
    assert.deepEqual(sizeIn({ text: english }), { textBytes: english.length + '{"text":""}'.length, media: 0 })
  })

  test('a Chinese character counts as four, a Cyrillic letter or an umlaut as two', () => {
    assert.equal(sizeIn('"漢字"').textBytes, 2 + 8)
    assert.equal(sizeIn('"да"').textBytes, 2 + 4)
    assert.equal(sizeIn('"über"').textBytes, 2 + 5)
    assert.equal(sizeIn('"👍"').textBytes, 2 + 4)
  })

  test('nothing is nothing', () => {
    assert.deepEqual(sizeOf(new Body([])), { textBytes: 0, media: 0 })
    assert.deepEqual(sizeOf(new Body([Buffer.alloc(0)])), { textBytes: 0, media: 0 })
  })

  const texts: [sentence: string, text: string][] = [
    ['a list with a word on each line', 'apple\nbanana\ncherry\n'.repeat(100)],
    ['one long word', 'x'.repeat(200)],
    ['the digits of a number in the midst of a sentence', `this is a number ${'31415926535'.repeat(200)} indeed`],
    ['hashes with a space between', '9f86d081884c7d659a2feaa0c55ad015 '.repeat(100)],
    ['minified code', 'function a(b,c){return b+c*d[e]};'.repeat(100)],
    ['a word of base64’s letters, and then a long text', `${'A'.repeat(700)} ${words.repeat(30)}`],
  ]
  for (const [name, text] of texts) {
    test(`no base64: ${name}`, () => assert.equal(sizeIn({ text }).media, 0))
  }
})

suite('scan: images and files', () => {
  const shapes: [sentence: string, json: unknown][] = [
    [
      'Anthropic’s',
      {
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } },
          { text: words },
        ],
      },
    ],
    ['OpenAI’s', { content: [{ image_url: { url: `data:image/png;base64,${picture}` } }, { text: words }] }],
    ['Gemini’s', { parts: [{ inlineData: { mimeType: 'image/png', data: picture } }, { text: words }] }],
    ['one written for URLs', { data: picture.replaceAll('+', '-').replaceAll('/', '_'), text: words }],
    ['one with every slash escaped', JSON.stringify({ data: picture, text: words }).replaceAll('/', '\\/')],
  ]
  for (const [sentence, json] of shapes) {
    test(`${sentence} is no text`, () => {
      const { textBytes, media } = sizeIn(json)
      assert.equal(media, 1)
      const rest = (typeof json === 'string' ? json : JSON.stringify(json)).length - picture.length
      assert.ok(Math.abs(textBytes - rest) < 300, `${textBytes} rather than ${rest}`)
    })
  }

  test('each of several is counted, and the text between them', () => {
    const json = { parts: [1, 2, 3].map(() => ({ data: picture, text: english })) }
    const { textBytes, media } = sizeIn(json)
    assert.equal(media, 3)
    assert.ok(Math.abs(textBytes - 3 * english.length) < 200, String(textBytes))
  })

  test('a short one is taken for text', () => {
    assert.equal(sizeIn({ data: picture.slice(0, 200) }).media, 0)
  })

  test('wherever a body is cut, it is much the same', () => {
    const json = { a: english, data: picture, b: `漢字 ${english}` }
    const whole = sizeIn(json)
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 9000 }), (pieceBytes) => {
        const { textBytes, media } = sizeIn(json, pieceBytes)
        assert.equal(media, whole.media)
        // A cut within the base64's first block leaves that as text.
        assert.ok(Math.abs(textBytes - whole.textBytes) <= 600, `${textBytes} rather than ${whole.textBytes}`)
      }),
      { numRuns: 300 },
    )
  })
})

suite('scan: large bodies', () => {
  test('of much text a part stands for all of it', () => {
    const text = `${words}漢字`.repeat(20_000)
    const { textBytes } = sizeIn({ text })
    const all = 20_000 * (words.length + 8)
    assert.ok(Math.abs(textBytes / all - 1) < 0.02, `${textBytes} of ${all}`)
  })

  test('an image after much text is found all the same', () => {
    const { textBytes, media } = sizeIn({ text: english.repeat(100), data: picture.repeat(50), more: words })
    assert.equal(media, 1)
    assert.ok(Math.abs(textBytes / (english.length * 100) - 1) < 0.02, String(textBytes))
  })

  test('any bytes at all are weighed, and never below nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 700 }), (bytes, pieceBytes) => {
        const chunks: Buffer[] = []
        for (let at = 0; at < bytes.length; at += pieceBytes)
          chunks.push(Buffer.from(bytes.subarray(at, at + pieceBytes)))
        const { textBytes } = sizeOf(new Body(chunks))
        assert.ok(textBytes >= 0 && textBytes <= 4 * bytes.length)
      }),
    )
  })
})
