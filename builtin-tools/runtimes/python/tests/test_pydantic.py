"""The stand-in for pydantic."""

import datetime
import enum
import unittest
from typing import Annotated, ClassVar, Literal, Optional, Union

import prepare  # noqa: F401

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Kind(enum.Enum):
    """Kinds."""

    A = "a"
    B = "b"


class Inner(BaseModel):
    """Something inside."""

    n: int = 1


class Outer(BaseModel):
    """Something outside."""

    limit: ClassVar[int] = 5
    name: str = Field(description="its name", min_length=2)
    kind: Kind = Kind.A
    inner: Inner = Field(default_factory=Inner)
    more: list[Inner] = []
    at: Optional[datetime.date] = None
    either: Union[int, str, None] = None


class Tree(BaseModel):
    """Contains its own kind."""

    value: int
    children: list["Tree"] = []


class Models(unittest.TestCase):
    """Models as tools use them."""

    def test_values_are_converted_and_dumped(self):
        """In and out."""
        model = Outer.model_validate({"name": "ab", "kind": "b", "more": [{"n": "2"}], "at": "2024-01-02"})
        self.assertEqual(model.more[0].n, 2)
        self.assertIs(model.kind, Kind.B)
        plain = {"name": "ab", "kind": "b", "inner": {"n": 1}, "more": [{"n": 2}], "at": "2024-01-02", "either": None}
        self.assertEqual(model.model_dump(mode="json"), plain)
        self.assertEqual(model.model_dump()["at"], datetime.date(2024, 1, 2))
        self.assertEqual(model.model_dump(include={"name"}), {"name": "ab"})
        self.assertEqual(model.model_dump(exclude={"more": True, "inner": {"n"}}, exclude_none=True)["inner"], {})
        self.assertEqual(Outer.model_validate_json(model.model_dump_json()), model)
        self.assertEqual(Outer.limit, 5)
        self.assertIn("name='ab'", repr(model))

    def test_defaults_are_not_shared(self):
        """A list that is a default belongs to one model."""
        one, two = Outer(name="ab"), Outer(name="cd")
        one.more.append(Inner())
        self.assertEqual(two.more, [])

    def test_all_problems_are_told(self):
        """Each with its place."""
        with self.assertRaises(ValidationError) as caught:
            Outer(name="a", kind="z", more=[{"n": "x"}])
        problems = {(problem["loc"], problem["type"]) for problem in caught.exception.errors()}
        self.assertEqual(problems, {(("name",), "string_too_short"), (("kind",), "enum"), (("more", 0, "n"), "int_parsing")})
        self.assertIn("3 validation errors for Outer", str(caught.exception))
        self.assertIn("more.0.n\n", str(caught.exception))

    def test_constraints(self):
        """Bounds of numbers, lengths and patterns."""

        class Bound(BaseModel):
            a: int = Field(0, ge=0, lt=10)
            b: Annotated[str, Field(pattern=r"^\d+$")] = "1"
            c: list[int] = Field([], max_length=2)
            d: pydantic.PositiveInt = 1
            e: Optional[float] = Field(None, gt=0)

        for name, wrong in {"a": 10, "b": "x", "c": [1, 2, 3], "d": 0, "e": 0}.items():
            with self.subTest(name), self.assertRaises(ValidationError) as caught:
                Bound(**{name: wrong})
            self.assertEqual(caught.exception.errors()[0]["loc"], (name,))
        self.assertEqual(Bound(a="9", b="22", c=["1"], d=3, e=1).c, [1])

    def test_validators(self):
        """Of fields and of the whole model, of both generations."""

        class Checked(BaseModel):
            a: str
            b: int = 0

            @pydantic.field_validator("a")
            @classmethod
            def upper(cls, value):
                if not value:
                    raise ValueError("must not be empty")
                return value.upper()

            @pydantic.field_validator("b", mode="before")
            @classmethod
            def stripped(cls, value):
                return value.strip("#") if isinstance(value, str) else value

            @pydantic.model_validator(mode="after")
            def together(self):
                if self.b > 100:
                    raise ValueError("too much")
                return self

        self.assertEqual(Checked(a="x", b="#7").model_dump(), {"a": "X", "b": 7})
        with self.assertRaisesRegex(ValidationError, "must not be empty"):
            Checked(a="")
        with self.assertRaisesRegex(ValidationError, "too much"):
            Checked(a="x", b=101)

        class Older(BaseModel):
            a: int

            class Config:
                extra = "forbid"

            @pydantic.validator("a")
            def double(cls, value):
                return value * 2

        self.assertEqual(Older(a=2).dict(), {"a": 4})
        with self.assertRaises(ValidationError):
            Older(a=1, b=2)

    def test_inheritance_aliases_and_settings(self):
        """Fields of base classes come first."""

        class Base(BaseModel):
            model_config = ConfigDict(populate_by_name=True, str_strip_whitespace=True)
            first: str = Field(alias="firstName")

        class Derived(Base):
            model_config = ConfigDict(extra="allow", frozen=True)
            second: int = 2

        model = Derived(firstName=" x ", other=1)
        self.assertEqual(model.model_dump(), {"first": "x", "second": 2, "other": 1})
        self.assertEqual(model.model_dump(by_alias=True)["firstName"], "x")
        self.assertEqual(Derived(first="y").first, "y")
        with self.assertRaises(ValidationError):
            model.second = 3
        self.assertEqual(list(Derived.model_fields), ["first", "second"])
        self.assertEqual(model.model_copy(update={"second": 5}).second, 5)

    def test_recursion_unions_and_roots(self):
        """Shapes that refer to each other."""
        tree = Tree.model_validate({"value": 1, "children": [{"value": 2, "children": [{"value": "3"}]}]})
        self.assertEqual(tree.children[0].children[0].value, 3)

        class Cat(BaseModel):
            kind: Literal["cat"]
            lives: int

        class Dog(BaseModel):
            kind: Literal["dog"]
            name: str

        class Home(BaseModel):
            pet: Union[Cat, Dog] = Field(discriminator="kind")

        self.assertIsInstance(Home(pet={"kind": "dog", "name": "x"}).pet, Dog)
        with self.assertRaises(ValidationError) as caught:
            Home(pet={"kind": "dog"})
        self.assertEqual(caught.exception.errors()[0]["loc"], ("pet", "dog", "name"))
        self.assertEqual(pydantic.RootModel[list[int]](["1"]).model_dump(), [1])
        self.assertEqual(pydantic.TypeAdapter(list[Inner]).validate_python([{"n": 3}])[0].n, 3)

    def test_private_attributes_and_computed_fields(self):
        """Beside the fields."""

        class Model(BaseModel):
            a: int
            _hidden: list = pydantic.PrivateAttr(default_factory=list)

            @pydantic.computed_field
            @property
            def double(self) -> int:
                return self.a * 2

            def model_post_init(self, context):
                self._hidden.append(self.a)

        model = Model(a=2)
        self.assertEqual(model.model_dump(), {"a": 2, "double": 4})
        self.assertEqual(model._hidden, [2])
        self.assertEqual(Model(a=3)._hidden, [3])

    def test_schema(self):
        """As tools hand it to models."""
        schema = Outer.model_json_schema()
        self.assertEqual(schema["required"], ["name"])
        self.assertEqual(
            schema["properties"]["name"], {"type": "string", "minLength": 2, "title": "Name", "description": "its name"}
        )
        self.assertEqual(schema["properties"]["more"]["items"], {"$ref": "#/$defs/Inner"})
        self.assertEqual(schema["properties"]["kind"]["default"], "a")
        self.assertEqual(schema["$defs"]["Kind"]["enum"], ["a", "b"])
        self.assertEqual(schema["properties"]["at"]["anyOf"], [{"type": "string", "format": "date"}, {"type": "null"}])
        tree = Tree.model_json_schema()
        self.assertEqual(tree["$ref"], "#/$defs/Tree")

    def test_made_models(self):
        """`create_model`."""
        made = pydantic.create_model("Made", a=(int, ...), b=(str, "x"))
        self.assertEqual(made(a="1").model_dump(), {"a": 1, "b": "x"})
        with self.assertRaises(ValidationError):
            made()


if __name__ == "__main__":
    unittest.main()
