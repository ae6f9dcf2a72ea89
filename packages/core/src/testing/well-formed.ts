/** Comments, CDATA, declarations, tags with quoted attributes, and the text between them. */
const PIECE =
  /<!--(?:(?!--)[\s\S])*-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+/y;
const STRAY = /&(?!(?:\w+|#\d+|#x[\da-fA-F]+);)/;

/**
 * What keeps a text from being one well-formed element of XML, as far as elements, attributes and entities go; undefined where
 * nothing does. Attributes that are given twice are one such thing.
 */
export function flawOf(text: string): string | undefined {
  const open: string[] = [];
  let elements = 0;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < text.length) {
    const at = PIECE.lastIndex;
    const piece = PIECE.exec(text);
    if (!piece) return `"${text.slice(at, at + 40)}" is no tag`;
    const [whole, closing, name, attributes = "", empty] = piece;
    if (!whole.startsWith("<!") && STRAY.test(whole)) return `"${whole.slice(0, 40)}" holds an & that begins no entity`;
    if (name === undefined) {
      if (open.length === 0 && !whole.startsWith("<") && whole.trim() !== "")
        return `"${whole.trim().slice(0, 40)}" stands outside of the element`;
      continue;
    }
    if (closing) {
      const opened = open.pop();
      if (opened !== name) return `</${name}> closes ${opened === undefined ? "nothing" : `<${opened}>`}`;
      continue;
    }
    if (open.length === 0 && elements++ > 0) return `<${name}> is a second element beside the first`;
    const keys = Array.from(attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"[^"]*"|'[^']*')/g), ([, key]) => key);
    const twice = keys.find((key, i) => keys.indexOf(key) < i);
    if (twice !== undefined) return `<${name}> has the attribute ${twice} twice`;
    if (!empty) open.push(name);
  }
  return open.length > 0 ? `<${open[open.length - 1]}> is not closed` : undefined;
}
