package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// smallDiskBytes is the size of the file system that holds the tables of a run.
const smallDiskBytes = 128 << 20

// smallDisk is a file system of limited size for the tables, so that a run can fill it without affecting others. Where
// this program may not mount one, dir is empty, and a trigger raises PostgreSQL's error instead.
type smallDisk struct{ dir string }

func (d smallDisk) String() string {
	if d.dir == "" {
		return "errors of a trigger, because no file system could be mounted"
	}
	return "a file system of " + fmt.Sprint(smallDiskBytes>>20) + " MiB"
}

// mountSmallDisk mounts a file system for the tables of the database, and creates its tablespace.
func (e *environment) mountSmallDisk(ctx context.Context, conn *pgx.Conn) error {
	server, err := os.Stat(e.postgres.Log())
	if err != nil {
		return err
	}
	parent, err := os.MkdirTemp("", "errand-chaos-disk-")
	if err != nil {
		return err
	}
	dir := filepath.Join(parent, "disk")
	mounted := false
	// It is executed last, after the server has been stopped.
	e.cleanups = slices.Insert(e.cleanups, 0, func() error {
		if mounted {
			if err := syscall.Unmount(dir, 0); err != nil {
				return fmt.Errorf("unmounting %s: %w", dir, err)
			}
		}
		return os.RemoveAll(parent)
	})
	if err := errors.Join(os.Chmod(parent, 0o755), os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", smallDiskBytes))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return nil // not root, or a container without the right to mount
	}
	if err != nil {
		return fmt.Errorf("mounting a file system: %w", err)
	}
	mounted = true
	owner, _ := server.Sys().(*syscall.Stat_t)
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		return err
	}
	e.disk.dir = dir
	_, err = conn.Exec(ctx, "CREATE TABLESPACE small LOCATION '"+dir+"'")
	return err
}

// tableTriggers is executed after the migrations where no file system could be mounted.
const tableTriggers = `
	CREATE FUNCTION chaos_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	DO $$ DECLARE name text; BEGIN
		FOREACH name IN ARRAY ARRAY['messages', 'runs', 'tasks', 'task_changes', 'tool_calls', 'conversations'] LOOP
			EXECUTE format('CREATE TRIGGER chaos_disk BEFORE INSERT OR UPDATE ON %I
				FOR EACH ROW EXECUTE FUNCTION chaos_disk()', name);
		END LOOP;
	END $$`

// prepareDisk creates the triggers that replace a full file system. The tables exist.
func (e *environment) prepareDisk(ctx context.Context) error {
	if e.disk.dir != "" {
		return nil
	}
	conn, err := pgx.Connect(ctx, e.servers.databaseURL())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, tableTriggers)
	return errors.Join(err, conn.Close(ctx))
}

// fillDisk makes PostgreSQL fail to extend tables and indexes for up to two seconds.
func (f *injector) fillDisk(ctx context.Context) {
	hold := 500*time.Millisecond + f.randomDuration(1500*time.Millisecond)
	fill, free := f.fillFile, f.freeFile
	if f.disk.dir == "" {
		fill, free = f.raiseDiskFull, f.clearDiskFull
	}
	if err := fill(ctx); err != nil {
		return // the server is being restarted
	}
	f.recovering.Go(func() {
		sleep(ctx, hold)
		for {
			if free(context.WithoutCancel(ctx)) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func (f *injector) ballast() string { return filepath.Join(f.disk.dir, "ballast") }

// fillFile writes a file until the file system is full.
func (f *injector) fillFile(context.Context) error {
	file, err := os.Create(f.ballast())
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for len(block) > 0 {
		if _, err := file.Write(block); err != nil {
			block = block[:len(block)/2] // the last bytes too
		}
	}
	return file.Close()
}

func (f *injector) freeFile(context.Context) error {
	if err := os.Remove(f.ballast()); !errors.Is(err, os.ErrNotExist) { // an overlapping fault may have removed it
		return err
	}
	return nil
}

func (f *injector) raiseDiskFull(ctx context.Context) error {
	return f.replaceTrigger(
		ctx,
		`RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'`,
	)
}

func (f *injector) clearDiskFull(ctx context.Context) error {
	return f.replaceTrigger(ctx, "RETURN NEW")
}

func (f *injector) replaceTrigger(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, f.servers.databaseURL())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE OR REPLACE FUNCTION chaos_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+
		statement+"; END $$")
	return errors.Join(err, conn.Close(ctx))
}
