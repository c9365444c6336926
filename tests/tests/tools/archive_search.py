from typing import List, Optional, Type

from crewai.tools import BaseTool
from pydantic import BaseModel, Field


class SearchInput(BaseModel):
    """What the search takes."""

    words: List[str] = Field(..., description="Words to look for.")
    limit: int = Field(default=2, ge=1, description="How many lines to show.")


class ArchiveSearch(BaseTool):
    name: str = "Search the archive"
    description: str = "Finds lines of the archive that have all of the words."
    args_schema: Type[BaseModel] = SearchInput
    lines: List[str] = ["red apple", "green apple", "green pear", "small green apple"]

    def _run(self, words: List[str], limit: int, run_manager: Optional[object] = None) -> str:
        found = [line for line in self.lines if all(word in line for word in words)]
        return "; ".join(found[:limit])
