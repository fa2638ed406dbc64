#include "CPNGShim.h"
#include <png.h>
