/* The characters: names and the proportions that tell one figure from another.
 * height: game units; bulk: thickness of limbs; head: its radius over the
 * height's tenth; marks: shapes that are added to the figure, and "ball" for a
 * figure that is mostly head. */

const make = (name, height, bulk, head, ...marks) => ({ name, height, bulk, head, marks });

const CHARACTERS = [
  make("Mario", 13, 1.2, 1.5, "cap"),
  make("Fox", 13.5, 0.9, 1.35, "ears", "tail"),
  make("Captain Falcon", 17, 1.15, 1.05, "scarf"),
  make("Donkey Kong", 17, 1.65, 1.3),
  make("Kirby", 9.5, 1.5, 3.7, "ball"),
  make("Bowser", 19, 1.75, 1.3, "horns", "shell", "tail"),
  make("Link", 15.5, 1, 1.25, "cap", "blade"),
  make("Sheik", 15.5, 0.8, 1.15, "scarf"),
  make("Ness", 11.5, 1.05, 1.8, "cap"),
  make("Peach", 16, 0.85, 1.2, "crown", "skirt"),
  make("Popo", 11.5, 1.25, 1.8, "hood"),
  make("Nana", 11.5, 1.25, 1.8, "hood"),
  make("Pikachu", 10, 1.3, 2, "ears", "tail"),
  make("Samus", 17.5, 1.35, 1.1, "shoulders"),
  make("Yoshi", 14.5, 1.2, 1.6, "tail", "crest"),
  make("Jigglypuff", 10, 1.5, 3.6, "ball", "ears"),
  make("Mewtwo", 17, 0.85, 1.3, "horns", "tail"),
  make("Luigi", 14.5, 1, 1.35, "cap"),
  make("Marth", 16.5, 0.85, 1.1, "blade", "cape"),
  make("Zelda", 16, 0.85, 1.15, "crown", "skirt"),
  make("Young Link", 12.5, 1, 1.55, "cap", "blade"),
  make("Dr. Mario", 13, 1.2, 1.5, "skirt"),
  make("Falco", 14.5, 0.9, 1.25, "crest", "tail"),
  make("Pichu", 8.5, 1.2, 2.2, "ears", "tail"),
  make("Mr. Game & Watch", 14, 1, 1.5),
  make("Ganondorf", 18, 1.35, 1.05, "cape"),
  make("Roy", 15.5, 0.9, 1.15, "blade", "cape"),
];

const UNKNOWN = { height: 14, bulk: 1, head: 1.3, marks: [] };

/* The numbers of the characters that can be chosen. */
export const CHARACTER_IDS = [...CHARACTERS.keys()];

export function characterOf(id) {
  return CHARACTERS[id] ?? { ...UNKNOWN, name: `character ${id}` };
}
