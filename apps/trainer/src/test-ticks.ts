/** Numbers at the ticks of an axis of a plot. */
export function ticksOf(svg: string, axis: "x" | "y"): number[] {
  const labels = new RegExp(`<g[^>]*aria-label="${axis}-axis tick label"[^>]*>(.*?)</g>`, "s").exec(svg)?.[1] ?? "";
  return [...labels.matchAll(/>([^<]+)<\/text>/g)].map(([, text]) => Number(text.replace("−", "-")));
}
