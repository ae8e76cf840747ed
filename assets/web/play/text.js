// Text from others, made inert and bounded: names and chat are drawn as what they are, and nothing else.

/** Controls, formats (directions, joiners, tags), private use, and what is not assigned. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Marks that sit on a letter; more than two on one are noise. */
const PILES = /(\p{M}{2})\p{M}+/gu;

/** At most so many characters that can be seen. */
export function bounded(text, most) {
  // Nothing that is longer is of use; cutting first bounds the work.
  const plain = String(text)
    .slice(0, most * 16)
    .replace(HIDDEN, '')
    .replace(PILES, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
  const letters = [...plain];
  let seen = 0;
  let end = 0;
  for (; end < letters.length; end += 1) {
    if (!/\p{M}/u.test(letters[end])) seen += 1;
    if (seen > most) break;
  }
  return end < letters.length ? `${letters.slice(0, end).join('')}…` : plain;
}

/** A name, which is never empty. */
export function named(text) {
  return bounded(text ?? '', 20) || 'somebody';
}
