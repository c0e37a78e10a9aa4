// SPDX-License-Identifier: Apache-2.0
// Devices to be unbound: made on request, with parents, device links, an order of binds, and removes that take
// their time, wait for a descriptor, never return, die, bring back a child, or have their device bound again. It logs
// when each remove began and ended.
//
// /dev/still_test takes one order a write:
//   add NAME DRIVER PARENT|- MILLISECONDS plain|open|hang|oops|child|again   a device, bound to nothing
//   bind NAME                     to its driver, which is made when it is first named
//   link CONSUMER SUPPLIER        a managed device link; EINVAL where it would close a circle
//   reset                         everything goes, and the log
// and reads as the log: "begin|end NAME NANOSECONDS" a line.
//
// open: the device has a node /dev/still_NAME, and its remove waits until nobody holds that open.
// child: its remove makes another device below it; one that automatic binding would bind at once.
// again: it is bound again as soon as its remove is over, before the one who unbound it gets to do anything more.
//
// Part of the kernel it is loaded into: may be used under GPL-2.0-only as well.
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define NAME_BYTES 32
#define LOG_BYTES (256 * 1024)

enum how { PLAIN, OPEN, HANG, OOPS, CHILD, AGAIN };

struct test_driver {
	struct list_head list;
	char name[NAME_BYTES];
	struct platform_driver driver;
};

struct test_device {
	struct list_head list;
	char name[NAME_BYTES];
	char driver[NAME_BYTES];
	char node[NAME_BYTES + 8];
	unsigned int milliseconds;
	enum how how;
	atomic_t open;
	wait_queue_head_t closed;
	struct miscdevice misc;
	struct platform_device *platform;
	struct platform_device *child;
	struct work_struct again;
};

static LIST_HEAD(drivers);
static LIST_HEAD(devices);
static DEFINE_MUTEX(orders);
static DEFINE_SPINLOCK(log_lock);
static char *log_text;
static size_t log_length;
static DECLARE_WAIT_QUEUE_HEAD(never);

static void note(const char *what, const char *name)
{
	unsigned long flags;
	u64 now = ktime_get_ns();

	spin_lock_irqsave(&log_lock, flags);
	log_length += scnprintf(log_text + log_length, LOG_BYTES - log_length, "%s %s %llu\n", what, name, now);
	spin_unlock_irqrestore(&log_lock, flags);
	pr_info("still_test: %s %s\n", what, name);
}

static struct test_device *find_device(const char *name)
{
	struct test_device *device;

	list_for_each_entry(device, &devices, list)
		if (strcmp(device->name, name) == 0)
			return device;
	return NULL;
}

/* The driver core clears the driver data of what is unbound, so it stands in the platform data: none for a child. */
static struct test_device *device_of(struct platform_device *platform)
{
	struct test_device **at = dev_get_platdata(&platform->dev);

	return at ? *at : NULL;
}

static int node_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct test_device *device = container_of(misc, struct test_device, misc);

	atomic_inc(&device->open);
	file->private_data = device;
	return 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	struct test_device *device = file->private_data;

	if (atomic_dec_and_test(&device->open))
		wake_up_all(&device->closed);
	return 0;
}

static const struct file_operations node_operations = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
};

static int test_probe(struct platform_device *platform)
{
	struct test_device *device = device_of(platform);

	if (!device)
		return 0;
	if (device->how != OPEN)
		return 0;
	snprintf(device->node, sizeof(device->node), "still_%s", device->name);
	device->misc.minor = MISC_DYNAMIC_MINOR;
	device->misc.name = device->node;
	device->misc.fops = &node_operations;
	device->misc.parent = &platform->dev;
	return misc_register(&device->misc);
}

static int set_override(struct platform_device *platform, const char *driver)
{
#ifdef OVERRIDE_IN_DEVICE
	return device_set_driver_override(&platform->dev, driver);
#else
	return driver_set_override(&platform->dev, &platform->driver_override, driver, strlen(driver));
#endif
}

static void bring_back_child(struct test_device *device)
{
	struct platform_device *child = platform_device_alloc("still_child", PLATFORM_DEVID_AUTO);

	if (!child)
		return;
	child->dev.parent = &device->platform->dev;
	if (set_override(child, device->driver) ||
	    platform_device_add(child)) {
		platform_device_put(child);
		return;
	}
	device->child = child;
}

static void bind_again(struct work_struct *work)
{
	struct test_device *device = container_of(work, struct test_device, again);

	if (device_attach(&device->platform->dev) < 1)
		pr_info("still_test: %s was not bound again\n", device->name);
}

static void do_remove(struct platform_device *platform)
{
	struct test_device *device = device_of(platform);

	if (!device)
		return;
	note("begin", device->name);
	if (device->milliseconds)
		msleep(device->milliseconds);
	switch (device->how) {
	case OPEN:
		wait_event(device->closed, atomic_read(&device->open) == 0);
		misc_deregister(&device->misc);
		break;
	case HANG:
		wait_event(never, false);
		break;
	case OOPS:
		BUG();
		break;
	case CHILD:
		bring_back_child(device);
		break;
	case AGAIN:
		/* It waits for the device's lock, on the processor that holds it, and takes precedence there. */
		queue_work_on(raw_smp_processor_id(), system_highpri_wq, &device->again);
		break;
	case PLAIN:
		break;
	}
	note("end", device->name);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static void test_remove(struct platform_device *platform)
{
	do_remove(platform);
}
#else
static int test_remove(struct platform_device *platform)
{
	do_remove(platform);
	return 0;
}
#endif

static int need_driver(const char *name)
{
	struct test_driver *made;
	int error;

	list_for_each_entry(made, &drivers, list)
		if (strcmp(made->name, name) == 0)
			return 0;
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	if (!made)
		return -ENOMEM;
	strscpy(made->name, name, sizeof(made->name));
	made->driver.probe = test_probe;
	made->driver.remove = test_remove;
	made->driver.driver.name = made->name;
	error = platform_driver_register(&made->driver);
	if (error)
		kfree(made);
	else
		list_add(&made->list, &drivers);
	return error;
}

static int order_add(char **words)
{
	struct test_device *parent = find_device(words[3]);
	static const char *const hows[] = { "plain", "open", "hang", "oops", "child", "again" };
	struct test_device *device;
	int how = match_string(hows, ARRAY_SIZE(hows), words[5]);
	int error;

	if (how < 0 || find_device(words[1]) || (!parent && strcmp(words[3], "-") != 0))
		return -EINVAL;
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;
	strscpy(device->name, words[1], sizeof(device->name));
	strscpy(device->driver, words[2], sizeof(device->driver));
	device->how = how;
	init_waitqueue_head(&device->closed);
	INIT_WORK(&device->again, bind_again);
	error = kstrtouint(words[4], 10, &device->milliseconds);
	device->platform = error ? NULL : platform_device_alloc(device->name, PLATFORM_DEVID_NONE);
	if (!device->platform) {
		kfree(device);
		return error ? error : -ENOMEM;
	}
	if (parent)
		device->platform->dev.parent = &parent->platform->dev;
	error = platform_device_add_data(device->platform, &device, sizeof(device));
	/* No driver has this name: it stays unbound until it is told. */
	error = error ? error :
			set_override(device->platform, "none");
	error = error ? error : platform_device_add(device->platform);
	if (error) {
		platform_device_put(device->platform);
		kfree(device);
		return error;
	}
	list_add(&device->list, &devices);
	return 0;
}

static int order_bind(char **words)
{
	struct test_device *device = find_device(words[1]);
	int error;

	if (!device)
		return -ENOENT;
	error = need_driver(device->driver);
	error = error ? error :
			set_override(device->platform, device->driver);
	if (error)
		return error;
	error = device_attach(&device->platform->dev);
	return error < 0 ? error : error == 0 ? -ENODEV : 0;
}

static int order_link(char **words)
{
	struct test_device *consumer = find_device(words[1]);
	struct test_device *supplier = find_device(words[2]);

	if (!consumer || !supplier)
		return -ENOENT;
	return device_link_add(&consumer->platform->dev, &supplier->platform->dev, 0) ? 0 : -EINVAL;
}

static int order_reset(char **words)
{
	struct test_device *device, *next;
	struct test_driver *driver, *next_driver;

	list_for_each_entry(device, &devices, list) {
		device->milliseconds = 0; /* nobody wants to watch these */
		if (device->how == AGAIN)
			device->how = PLAIN;
		cancel_work_sync(&device->again);
	}
	/* The latest first: children stand before their parents. */
	list_for_each_entry_safe(device, next, &devices, list) {
		if (device->child)
			platform_device_unregister(device->child);
		platform_device_unregister(device->platform);
		list_del(&device->list);
		kfree(device);
	}
	list_for_each_entry_safe(driver, next_driver, &drivers, list) {
		platform_driver_unregister(&driver->driver);
		list_del(&driver->list);
		kfree(driver);
	}
	log_length = 0;
	return 0;
}

static const struct {
	const char *word;
	int words;
	int (*act)(char **words);
} known[] = { { "add", 6, order_add }, { "bind", 2, order_bind }, { "link", 3, order_link }, { "reset", 1, order_reset } };

static ssize_t control_write(struct file *file, const char __user *from, size_t count, loff_t *position)
{
	char *words[6] = {};
	char *text, *rest;
	int number = 0, error = -EINVAL;
	size_t i;

	if (count > 256)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rest = strim(text);
	while (number < 6 && rest)
		words[number++] = strsep(&rest, " ");
	mutex_lock(&orders);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!rest && words[0] && strcmp(words[0], known[i].word) == 0 && number == known[i].words)
			error = known[i].act(words);
	mutex_unlock(&orders);
	kfree(text);
	return error ? error : count;
}

static ssize_t control_read(struct file *file, char __user *to, size_t count, loff_t *position)
{
	return simple_read_from_buffer(to, count, position, log_text, log_length);
}

static const struct file_operations control_operations = {
	.owner = THIS_MODULE,
	.read = control_read,
	.write = control_write,
	.llseek = default_llseek,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "still_test",
	.fops = &control_operations,
};

static int __init still_test_init(void)
{
	log_text = kzalloc(LOG_BYTES, GFP_KERNEL);
	if (!log_text)
		return -ENOMEM;
	return misc_register(&control);
}

/* Never unloaded: a remove that hangs runs in it for good. */
module_init(still_test_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Devices to be unbound, for Stillboot's tests");
