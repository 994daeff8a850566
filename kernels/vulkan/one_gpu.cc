// A Vulkan layer that lets a program see one GPU alone: the physical device whose place in the loader's order stands in
// the environment variable MANYSTART_VULKAN_GPU, or all where that is no number. Everything else goes straight on to
// the next layer or the driver. Dawn picks GPUs by name, which cannot tell several of one name apart; a process that
// sees only one cannot err. Declarations follow Vulkan's binary interface (vulkan_core.h and vk_layer.h of the Khronos
// group, version 2 of the loader's layer interface), so that building needs no headers. Nothing of the C++ library is
// used: the layer loads wherever the loader does.

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace {

typedef int32_t Result;
const Result success = 0, incomplete = 5, outOfHostMemory = -1, initializationFailed = -3;

typedef struct Instance_* Instance;
typedef struct PhysicalDevice_* PhysicalDevice;
typedef void (*Function)();
typedef Function (*GetInstanceProcAddr)(Instance, const char*);
typedef Result (*CreateInstance)(const struct InstanceCreateInfo*, const void* allocator, Instance*);
typedef void (*DestroyInstance)(Instance, const void* allocator);
typedef Result (*EnumeratePhysicalDevices)(Instance, uint32_t*, PhysicalDevice*);

/// How structures of Vulkan begin. The chain of `next` is the program's; only the loader's own links in it are written
/// to.
struct Header {
  int32_t type;
  Header* next;
};
struct InstanceCreateInfo : Header {};

/// What the loader hangs into the chain of InstanceCreateInfo: who comes after this layer.
struct LayerLink {
  LayerLink* next;
  GetInstanceProcAddr getInstanceProcAddr;
  void* getPhysicalDeviceProcAddr;
};
struct LoaderInfo : Header {
  int32_t function;
  LayerLink* link;
};
const int32_t loaderInstanceCreateInfo = 47, layerLinkInfo = 0;
struct NegotiateLayerInterface {
  int32_t type;
  void* next;
  uint32_t version;
  GetInstanceProcAddr getInstanceProcAddr;
  void* getDeviceProcAddr;
  void* getPhysicalDeviceProcAddr;
};

struct PhysicalDeviceGroup : Header {
  uint32_t count;
  PhysicalDevice devices[32];
  uint32_t subsetAllocation;
};

/// An instance that is alive: the functions of what follows this layer, and the place of the GPU to show, negative for
/// all.
struct Known {
  Known* older;
  Instance instance;
  GetInstanceProcAddr next;
  EnumeratePhysicalDevices enumerate;
  DestroyInstance destroy;
  int32_t place;
};
Known* newest = nullptr;
pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/// What is known of an instance; `next` is null for any other.
Known find(Instance instance) {
  pthread_mutex_lock(&guard);
  const Known* at = newest;
  while (at && at->instance != instance) at = at->older;
  const Known found = at ? *at : Known{};
  pthread_mutex_unlock(&guard);
  return found;
}

/// The place that the environment names, -1 where it names none.
int32_t placeWanted() {
  const char* text = getenv("MANYSTART_VULKAN_GPU");
  if (!text || !*text || strlen(text) > 6) return -1;
  int32_t place = 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return -1;
    place = 10 * place + (*text - '0');
  }
  return place;
}

/// The device to show. Where there are not so many it is an error: Mesa's layer device_select fails on an empty list.
Result deviceToShow(Instance instance, PhysicalDevice& device) {
  const Known known = find(instance);
  if (!known.next) return initializationFailed;
  const auto place = static_cast<uint32_t>(known.place);
  uint32_t count = 0;
  Result result = known.enumerate(instance, &count, nullptr);
  if (result < success || count <= place) return result < success ? result : initializationFailed;
  const auto all = static_cast<PhysicalDevice*>(calloc(count, sizeof(PhysicalDevice)));
  if (!all) return outOfHostMemory;
  result = known.enumerate(instance, &count, all);
  device = all[place];
  free(all);
  return result < success ? result : device ? success : initializationFailed;
}

/// Vulkan's way of handing over an array, here of one element: the count alone, or as much as there is room for.
template <class Element, class Fill>
Result handOver(Instance instance, uint32_t* count, Element* array, Fill fill) {
  PhysicalDevice device;
  const Result result = deviceToShow(instance, device);
  if (result < success) return result;
  if (array && *count == 0) return incomplete;
  *count = 1;
  if (array) fill(*array, device);
  return success;
}

Result enumerateDevices(Instance instance, uint32_t* count, PhysicalDevice* devices) {
  return handOver(instance, count, devices, [](PhysicalDevice& element, PhysicalDevice device) { element = device; });
}

/// Groups bind GPUs together; where one is shown, there is a group of it alone.
Result enumerateGroups(Instance instance, uint32_t* count, PhysicalDeviceGroup* groups) {
  return handOver(instance, count, groups, [](PhysicalDeviceGroup& group, PhysicalDevice device) {
    group.count = 1;
    group.devices[0] = device;
    group.subsetAllocation = 0;
  });
}

Result createInstance(const InstanceCreateInfo* info, const void* allocator, Instance* instance) {
  Header* at = info->next;
  while (at && !(at->type == loaderInstanceCreateInfo && static_cast<LoaderInfo*>(at)->function == layerLinkInfo))
    at = at->next;
  if (!at) return initializationFailed;
  LoaderInfo* loader = static_cast<LoaderInfo*>(at);
  const GetInstanceProcAddr get = loader->link->getInstanceProcAddr;
  // The next layer finds its own successor in the same place.
  loader->link = loader->link->next;
  const auto create = reinterpret_cast<CreateInstance>(get(nullptr, "vkCreateInstance"));
  if (!create) return initializationFailed;
  const auto known = static_cast<Known*>(malloc(sizeof(Known)));
  if (!known) return outOfHostMemory;
  const Result result = create(info, allocator, instance);
  if (result != success) {
    free(known);
    return result;
  }
  // Asked for now: older loaders answer with the first layer's functions once the instance is complete.
  const auto enumerate = reinterpret_cast<EnumeratePhysicalDevices>(get(*instance, "vkEnumeratePhysicalDevices"));
  const auto destroy = reinterpret_cast<DestroyInstance>(get(*instance, "vkDestroyInstance"));
  pthread_mutex_lock(&guard);
  *known = {newest, *instance, get, enumerate, destroy, placeWanted()};
  newest = known;
  pthread_mutex_unlock(&guard);
  return success;
}

void destroyInstance(Instance instance, const void* allocator) {
  const DestroyInstance destroy = find(instance).destroy;
  if (!destroy) return;
  pthread_mutex_lock(&guard);
  Known** at = &newest;
  while ((*at)->instance != instance) at = &(*at)->older;
  Known* gone = *at;
  *at = gone->older;
  pthread_mutex_unlock(&guard);
  free(gone);
  destroy(instance, allocator);
}

Function getInstanceProcAddr(Instance instance, const char* name) {
  const auto is = [name](const char* other) { return strcmp(name, other) == 0; };
  if (is("vkGetInstanceProcAddr")) return reinterpret_cast<Function>(getInstanceProcAddr);
  if (is("vkCreateInstance")) return reinterpret_cast<Function>(createInstance);
  if (is("vkDestroyInstance")) return reinterpret_cast<Function>(destroyInstance);
  const Known known = find(instance);
  const Function next = known.next ? known.next(instance, name) : nullptr;
  if (!next || known.place < 0) return next;
  if (is("vkEnumeratePhysicalDevices")) return reinterpret_cast<Function>(enumerateDevices);
  if (is("vkEnumeratePhysicalDeviceGroups") || is("vkEnumeratePhysicalDeviceGroupsKHR"))
    return reinterpret_cast<Function>(enumerateGroups);
  return next;
}

}  // namespace

/// The loader calls this first. The layer takes no part in what devices do: without a function for them it is left out
/// of that.
extern "C" __attribute__((visibility("default"))) Result
vkNegotiateLoaderLayerInterfaceVersion(NegotiateLayerInterface* interface) {
  if (interface->version < 2) return initializationFailed;
  interface->version = 2;
  interface->getInstanceProcAddr = getInstanceProcAddr;
  interface->getDeviceProcAddr = nullptr;
  interface->getPhysicalDeviceProcAddr = nullptr;
  return success;
}
