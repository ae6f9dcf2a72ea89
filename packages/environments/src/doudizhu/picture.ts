import { agentColours, colours, shape, svgDocument, words } from "../svg.ts";

/** What there is to see of a game, cards by rank. */
export interface Scene {
  readonly players: readonly {
    readonly name: string;
    readonly hand: string;
    /** Its last move: cards, `pass`, or nothing yet. */
    readonly last: string;
    readonly acts: boolean;
    /** Its last move is the one to beat. */
    readonly stands: boolean;
  }[];
  /** The landlord's three cards that all have seen. */
  readonly shown: string;
  readonly status: string;
}

const WIDTH = 540;
const TOP = 56;
const ROW = 104;
const MARGIN = 20;

/** Three rows, one a player: its hand, and below it its last move, framed while it is to be beaten. A bar marks whose turn it is. */
export function picture({ players, shown, status }: Scene): string {
  const rows = players.flatMap(({ name, hand, last, acts, stands }, row) => {
    const y = TOP + ROW * row;
    const marks = acts
      ? [shape("rect", { x: 6, y: y + 4, width: 6, height: ROW - 14, rx: 3, fill: agentColours[row] })]
      : [];
    const heading = `${name}, ${hand.length} ${hand.length === 1 ? "card" : "cards"}`;
    const played =
      last === "pass" || last === "" ? [words(MARGIN + 48, y + 84, last)] : cardsAt(MARGIN + 48, y + 66, 18, last);
    const frame = stands
      ? [
          shape("rect", {
            x: MARGIN + 44,
            y: y + 62,
            width: 18 * last.length + 8,
            height: 30,
            rx: 5,
            fill: "none",
            stroke: colours.ink,
            "stroke-width": 1.5,
          }),
        ]
      : [];
    return [
      ...marks,
      words(MARGIN, y + 14, heading, { "font-weight": acts ? "bold" : "normal", fill: colours.ink }),
      ...cardsAt(MARGIN, y + 22, 25, hand),
      words(MARGIN, y + 84, "played", { fill: colours.line }),
      ...played,
      ...frame,
    ];
  });
  const heading = [
    words(MARGIN, 30, status, { "font-size": 15, "font-weight": "bold" }),
    words(WIDTH - MARGIN - 78, 30, "shown", { "text-anchor": "end", fill: colours.line }),
    ...cardsAt(WIDTH - MARGIN - 72, 10, 24, shown),
  ];
  return svgDocument(WIDTH, TOP + ROW * players.length, [...heading, ...rows]);
}

/** A row of cards, one every `step` units from (x, y). */
function cardsAt(x: number, y: number, step: number, cards: string): string[] {
  const width = step - 2;
  const height = 1.4 * width;
  return cards.split("").flatMap((card, i) => {
    const fill = card === "B" ? colours.ink : card === "R" ? colours.red : "#ffffff";
    const ink = card === "B" || card === "R" ? "#ffffff" : colours.ink;
    const left = x + step * i;
    return [
      shape("rect", { x: left, y, width, height, rx: 3, fill, stroke: colours.line }),
      words(left + width / 2, y + height / 2 + 0.25 * width, card === "T" ? "10" : card, {
        "text-anchor": "middle",
        "font-size": 0.62 * width,
        fill: ink,
      }),
    ];
  });
}
