# Read by the bundle's programs after they have set `here` to its folder. Uses nothing but the shell: PATH may be empty.

# NVIDIA's Vulkan driver, unless the user has named drivers: containers often mount it where the Vulkan loader does not look.
# Where there is none, the loader takes the other drivers of the system.
driver=${VK_DRIVER_FILES-}${VK_ICD_FILENAMES-}${VK_ADD_DRIVER_FILES-}
if [ -z "$driver" ]; then
  for file in \
    /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/nvidia/vulkan/icd.d/nvidia_icd*.json \
    /usr/share/vulkan/icd.d/nvidia_icd*.json \
    /etc/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/share/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/etc/vulkan/icd.d/nvidia_icd*.json; do
    if [ -r "$file" ]; then
      driver=$file
      export VK_DRIVER_FILES="$file"
      break
    fi
  done
fi

# Before what is about GPUs.
tell_driver() {
  if [ -z "$driver" ]; then
    echo "No nvidia_icd.json was found below /usr/share, /etc/vulkan or /usr/local/nvidia: if this machine has a GPU of NVIDIA's," \
      "set VK_DRIVER_FILES to the path of its driver's nvidia_icd.json." >&2
  fi
}

# Where containers mount NVIDIA's libraries, then the bundle's Vulkan loader; what the user has set comes first.
for folder in /usr/local/nvidia/lib64 "$here/lib"; do
  if [ -d "$folder" ]; then
    LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
  fi
done
export LD_LIBRARY_PATH
