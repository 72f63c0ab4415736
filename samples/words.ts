/** The words the sample is made of: Plankton, an invented planning tool for teams, and its invented customers. */

export interface CompanyWords {
  readonly name: string;
  readonly industry: string;
  readonly country: string;
  /** 1 (a handful of people) to 4 (a large firm): decides plan, seats and how much happens. */
  readonly size: 1 | 2 | 3 | 4;
}

const company = (name: string, industry: string, country: string, size: CompanyWords["size"]): CompanyWords => ({
  name,
  industry,
  country,
  size,
});

/** In order of arrival: the first are customers before the sample begins. */
export const COMPANIES: readonly CompanyWords[] = [
  company("Harborline Logistics", "Logistics", "NL", 4),
  company("Fennel & Oak", "Retail", "GB", 2),
  company("Brightwater Energy", "Energy", "DK", 3),
  company("Papertrail Legal", "Legal", "US", 2),
  company("Cobalt Robotics Lab", "Manufacturing", "DE", 3),
  company("Mira Health", "Healthcare", "SE", 3),
  company("Juniper Street Studio", "Design", "US", 1),
  company("Kestrel Airparts", "Manufacturing", "FR", 2),
  company("Tallow Foods", "Food", "IE", 2),
  company("Northgate Insurance", "Insurance", "GB", 4),
  company("Quillwork Press", "Media", "CA", 1),
  company("Sundial Schools", "Education", "US", 3),
  company("Verdant Farms Co-op", "Agriculture", "NZ", 2),
  company("Oskar Möbel", "Retail", "DE", 2),
  company("Lumen Dental", "Healthcare", "US", 1),
  company("Riverbend Credit Union", "Finance", "US", 3),
  company("Saltbox Homes", "Real estate", "CA", 2),
  company("Polar Freight", "Logistics", "NO", 2),
  company("Tinder & Flint Outfitters", "Retail", "US", 1),
  company("Atelier Duval", "Design", "FR", 1),
  company("Meridian Water", "Energy", "AU", 3),
  company("Cascade Biotech", "Healthcare", "US", 3),
  company("Hearth Kitchens", "Manufacturing", "PL", 2),
  company("Larkspur Events", "Events", "GB", 1),
  company("Stonebridge Partners", "Finance", "CH", 4),
  company("Piccolo Toys", "Manufacturing", "IT", 1),
  company("Arbor Analytics", "Software", "US", 2),
  company("Tidemark Ferries", "Travel", "GR", 2),
  company("Nimbus Couriers", "Logistics", "ES", 1),
  company("Gable & Sons Roofing", "Construction", "US", 1),
  company("Orchard Payroll", "Software", "IE", 2),
  company("Blue Heron Clinics", "Healthcare", "US", 2),
  company("Fjordlys Lighting", "Manufacturing", "NO", 1),
  company("Sparrow Mobility", "Transport", "DE", 3),
  company("Copperfield Hotels", "Travel", "GB", 3),
  company("Ibis Language School", "Education", "PT", 1),
  company("Granite Peak Gear", "Retail", "US", 2),
  company("Willow & Wren Books", "Media", "GB", 1),
  company("Solstice Solar", "Energy", "ES", 2),
  company("Anchor Bay Foods", "Food", "CA", 2),
];

/** By size − 1. Prices are US dollars per seat and month. */
export const PLANS = [
  { plan: "free", seatPrice: 0 },
  { plan: "team", seatPrice: 12 },
  { plan: "business", seatPrice: 21 },
  { plan: "enterprise", seatPrice: 34 },
] as const;

export const FIRST_NAMES =
  "Ada Ben Chloé Dev Elif Femi Greta Hana Ivo Jun Kaya Lior Maja Nils Omar Priya Quinn Rosa Sven Tess Uma Viktor Wren Yusuf Zoë".split(
    " ",
  );

export const PROJECT_NAMES: readonly string[] = [
  "Website relaunch",
  "Q4 roadmap",
  "Hiring plan",
  "Office move",
  "Mobile app",
  "Customer onboarding",
  "Budget 2027",
  "Brand refresh",
  "Warehouse rollout",
  "Security audit",
  "Autumn campaign",
  "Supplier review",
  "Data migration",
  "Trade fair",
  "Help centre",
  "Partner programme",
];

export const TEMPLATES: readonly string[] = ["kanban", "timeline", "sprint", "checklist"];

/** Event, share in a hundred, and whether it names a task. */
export const EVENTS: readonly { readonly event: string; readonly share: number; readonly task: boolean }[] = [
  { event: "Task Created", share: 30, task: true },
  { event: "Task Completed", share: 27, task: true },
  { event: "Comment Added", share: 22, task: true },
  { event: "Board Shared", share: 9, task: false },
  { event: "Timeline Moved", share: 7, task: false },
  { event: "Report Exported", share: 5, task: false },
];

export const PAGES: readonly string[] = ["Board", "Timeline", "My week", "Reports", "Settings"];
export const SCREENS: readonly string[] = ["Today", "Board", "Inbox"];
