"""The converters, by family; importing this package fills the registry."""

from netsuke.frontend.tflite.operators import activation as activation
from netsuke.frontend.tflite.operators import convolution as convolution
from netsuke.frontend.tflite.operators import cutting as cutting
from netsuke.frontend.tflite.operators import dense as dense
from netsuke.frontend.tflite.operators import elementwise as elementwise
from netsuke.frontend.tflite.operators import folding as folding
from netsuke.frontend.tflite.operators import pooling as pooling
from netsuke.frontend.tflite.operators import quantization as quantization
from netsuke.frontend.tflite.operators import rearranging as rearranging
from netsuke.frontend.tflite.operators import recurrent as recurrent
from netsuke.frontend.tflite.operators import reduction as reduction
from netsuke.frontend.tflite.operators import shape as shape
