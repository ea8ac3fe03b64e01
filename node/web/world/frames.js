/* Recorded frames: the JSON that `erx rollout --json` writes, checked and turned
 * into the players that the rest of the page works with, and back. */

const NUMBERS = {
  x: "x", y: "y", percent: "percent", shield: "shield_strength", speedAirX: "speed_air_x",
  speedY: "speed_y", speedGroundX: "speed_ground_x", speedAttackX: "speed_attack_x",
  speedAttackY: "speed_attack_y", age: "state_age", hitlag: "hitlag", stocks: "stocks",
  action: "action_state", jumps: "jumps_left", character: "character",
};

function readPlayer(record, place) {
  const player = {};
  for (const [name, key] of Object.entries(NUMBERS)) {
    if (typeof record?.[key] !== "number" || !Number.isFinite(record[key]))
      throw new Error(`${place} has no number '${key}'`);
    player[name] = record[key];
  }
  player.facing = record.facing ? 1 : -1;
  player.onGround = Boolean(record.on_ground);
  return player;
}

/* The same form from what a page has seen: the text of a frames file. */
export function writeFrames(stage, frames) {
  const write = (player) => ({
    ...Object.fromEntries(Object.entries(NUMBERS).map(([name, key]) => [key, player[name]])),
    facing: player.facing === 1,
    on_ground: player.onGround,
  });
  const lines = frames.map(({ frame, players }) =>
    JSON.stringify({ players: players.map(write), stage, frame }));
  return `{"frames":[\n${lines.join(",\n")}\n]}\n`;
}

/* {stage, frames: [{frame, players}]} from parsed JSON. Throws an Error that names
 * the frame and the field that are wrong. */
export function readFrames(document) {
  if (!Array.isArray(document?.frames) || document.frames.length === 0)
    throw new Error("there is no list 'frames' with at least one frame");
  const frames = document.frames.map((record, index) => {
    if (record?.players?.length !== 2)
      throw new Error(`frame ${index + 1} does not have two players`);
    const read = (player, seat) => readPlayer(player, `frame ${index + 1}, player ${seat + 1}`);
    return { frame: record.frame ?? index + 1, players: record.players.map(read) };
  });
  const { stage } = document.frames[0];
  if (!Number.isInteger(stage)) throw new Error("frame 1 has no number 'stage'");
  return { stage, frames };
}
