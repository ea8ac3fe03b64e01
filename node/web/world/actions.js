/* Action states: what each number is called and which pose shows it. A row holds
 * from its first number to the next row's. */

const ROWS = [
  [0, "out of the stage", "lost"],
  [12, "coming back", "hover"],
  [14, "standing", "stand"],
  [15, "walking", "walk"],
  [18, "turning", "turn"],
  [20, "dashing", "run"],
  [21, "running", "run"],
  [23, "braking", "brake"],
  [24, "about to jump", "crouch"],
  [25, "jumping", "jump"],
  [27, "jumping again", "flip"],
  [29, "falling", "fall"],
  [35, "falling helplessly", "helpless"],
  [38, "tumbling", "tumble"],
  [39, "crouching", "crouch"],
  [42, "landing", "land"],
  [44, "jabbing", "jab"],
  [47, "jabbing fast", "jab"],
  [50, "attacking from a dash", "lunge"],
  [51, "forward tilt", "kickForward"],
  [56, "up tilt", "swingUp"],
  [57, "down tilt", "sweep"],
  [58, "forward smash", "smashForward"],
  [63, "up smash", "smashUp"],
  [64, "down smash", "smashDown"],
  [65, "neutral air", "airNeutral"],
  [66, "forward air", "airForward"],
  [67, "back air", "airBack"],
  [68, "up air", "airUp"],
  [69, "down air", "airDown"],
  [70, "landing from an attack", "land"],
  [75, "being hit", "hit"],
  [84, "being hit in the air", "hit"],
  [87, "sent flying", "tumble"],
  [92, "handling an item", "reach"],
  [178, "shielding", "shield"],
  [183, "lying down", "lie"],
  [186, "getting up", "rise"],
  [187, "attacking while getting up", "sweep"],
  [188, "rolling on the floor", "roll"],
  [191, "lying down", "lie"],
  [194, "getting up", "rise"],
  [195, "attacking while getting up", "sweep"],
  [196, "rolling on the floor", "roll"],
  [199, "recovering from a fall", "rise"],
  [200, "rolling out of a fall", "roll"],
  [202, "bouncing off a wall", "jump"],
  [205, "dazed", "dazed"],
  [212, "grabbing", "grab"],
  [216, "holding", "hold"],
  [217, "pummelling", "hold"],
  [219, "throwing forward", "smashForward"],
  [220, "throwing back", "throwBack"],
  [221, "throwing up", "smashUp"],
  [222, "throwing down", "smashDown"],
  [223, "held", "held"],
  [233, "rolling", "roll"],
  [235, "dodging", "dodge"],
  [236, "dodging in the air", "dodge"],
  [237, "rebounding", "brake"],
  [239, "thrown", "tumble"],
  [244, "dropping through", "fall"],
  [245, "teetering", "teeter"],
  [247, "bouncing off", "tumble"],
  [251, "slipping off", "teeter"],
  [252, "hanging at a ledge", "hang"],
  [254, "climbing a ledge", "rise"],
  [256, "attacking from a ledge", "sweep"],
  [258, "rolling from a ledge", "roll"],
  [260, "jumping from a ledge", "jump"],
  [264, "taunting", "taunt"],
  [266, "in a rare state", "held"],
  [322, "entering", "hover"],
  [325, "in a rare state", "held"],
  [341, "using a special move", "special"],
];

const HURT = new Set(["hit", "tumble", "held"]);

function rowOf(action) {
  let low = 0;
  let high = ROWS.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ROWS[middle][0] <= action) low = middle;
    else high = middle - 1;
  }
  return ROWS[low];
}

export const actionName = (action) => rowOf(action)[1];
export const actionPose = (action) => rowOf(action)[2];

/* Whether a fighter in this action is suffering. */
export const isHurt = (action) => HURT.has(actionPose(action));
