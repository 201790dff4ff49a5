from django.db import models


class Code(models.Model):
    """One code of one code list, as the file of that list has it. Loaded, never typed in."""

    list = models.CharField(max_length=40, help_text="The list that the code is of.")
    code = models.CharField(max_length=40, help_text="The code as records hold it.")
    label = models.CharField(max_length=200, help_text="The term of the field.")
    definition = models.TextField(help_text="What the code means.")
    parent = models.CharField(
        max_length=40, null=True, help_text="The wider code of the same list that takes it in."
    )
    position = models.PositiveSmallIntegerField(help_text="Place in the list, from 0.")
    mappings = models.JSONField(default=dict, help_text="What others call it: list -> code.")

    class Meta:
        ordering = ["list", "position"]
        constraints = [
            models.UniqueConstraint(
                name="harmtracker_code_once_per_list",
                fields=["list", "code"],
                violation_error_message="This list has that code already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.list}: {self.code}"
