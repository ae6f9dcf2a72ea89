import * as machine from "./pong-machine.ts";
import {
  BALL_HEIGHT,
  BALL_WIDTH,
  BAR_TOP,
  ballColumn,
  ballRow,
  FIELD_BOTTOM,
  FIELD_TOP,
  LEFT_PADDLE,
  leftPaddleRow,
  PADDLE_HEIGHT,
  PADDLE_WIDTH,
  RIGHT_PADDLE,
  rightPaddleRow,
} from "./pong-pixels.ts";
import { colours, shape, svgDocument, words } from "./svg.ts";

const WIDTH = 160;
const HEIGHT = 210;

/** The original's screen, 160 × 210, stretched to the 4:3 of a television set by the viewer if at all. */
export function drawPong(s: Int32Array): string {
  const rectangle = (x: number, y: number, width: number, height: number, fill: string) => {
    const top = Math.max(y, FIELD_TOP);
    const bottom = Math.min(y + height, FIELD_BOTTOM);
    return shape("rect", { x, y: top, width, height: Math.max(0, bottom - top), fill });
  };
  const bar = (y: number, height: number) => shape("rect", { x: 0, y, width: WIDTH, height, fill: colours.line });
  const score = (side: number, x: number, fill: string) =>
    words(x, BAR_TOP - 5, String(s[machine.SCORE + side]), { "text-anchor": "middle", "font-size": 18, fill });
  const [left, right] = [machine.LEFT, machine.RIGHT];
  return svgDocument(WIDTH, HEIGHT, [
    bar(BAR_TOP, FIELD_TOP - BAR_TOP),
    bar(FIELD_BOTTOM, HEIGHT - FIELD_BOTTOM),
    score(left, WIDTH / 4, colours.orange),
    score(right, (3 * WIDTH) / 4, colours.blue),
    rectangle(LEFT_PADDLE, leftPaddleRow(s[machine.PADDLE + left]), PADDLE_WIDTH, PADDLE_HEIGHT, colours.orange),
    rectangle(RIGHT_PADDLE, rightPaddleRow(s[machine.PADDLE + right]), PADDLE_WIDTH, PADDLE_HEIGHT, colours.blue),
    s[machine.BALL_Y] === 0
      ? ""
      : rectangle(ballColumn(s[machine.BALL_X]), ballRow(s[machine.BALL_Y]), BALL_WIDTH, BALL_HEIGHT, colours.ink),
  ]);
}
