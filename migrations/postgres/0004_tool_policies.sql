-- What a tool may use and reach beyond or below its kind's default, and the most that any tool of an organisation may.
-- JSON; NULL changes nothing.
ALTER TABLE tools ADD COLUMN policy TEXT;
ALTER TABLE organizations ADD COLUMN tool_ceiling TEXT;
