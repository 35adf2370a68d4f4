"""The small forms beside a part: quantity, box, and the key that makes sending them twice harmless."""

from django import forms

from stock.ledger import MAX_QUANTITY
from stock.models import Box


class ChangeForm(forms.Form):
    """Add to a box or take from it; ``action`` is the button that was pressed."""

    action = forms.ChoiceField(choices=(("take", "Take"), ("add", "Add")))
    box = forms.ModelChoiceField(Box.objects.all())
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    key = forms.UUIDField()


class MoveForm(forms.Form):
    """Carry parts from one box to another."""

    source = forms.ModelChoiceField(Box.objects.all())
    target = forms.ModelChoiceField(Box.objects.all())
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    key = forms.UUIDField()
