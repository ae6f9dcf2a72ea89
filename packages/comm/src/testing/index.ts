export { channelLaws } from "./channel-laws.ts";
