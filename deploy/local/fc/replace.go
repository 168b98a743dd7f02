package fc

// Replace deploys f in the place of a function of its name, if there is one. What runs
// runs to its end with the old one; every later event, and every later attempt of one,
// finds the new one.
func (r *Runtime) Replace(f Function) error {
	r.mu.Lock()
	old := r.functions[key{f.Region, f.Name}]
	err := r.add(f)
	var idle []*instance
	if err == nil {
		idle = old.retire()
	}
	r.mu.Unlock()
	for _, i := range idle {
		i.kill()
	}
	return err
}

// Remove ends a function, if there is one. What runs is run to its end.
func (r *Runtime) Remove(region, name string) {
	r.mu.Lock()
	k := key{region, name}
	idle := r.functions[k].retire()
	delete(r.functions, k)
	r.mu.Unlock()
	for _, i := range idle {
		i.kill()
	}
}

// retire has no instance take another event, and returns those that have nothing to do.
// The caller holds the mutex.
func (d *deployed) retire() (idle []*instance) {
	if d == nil {
		return nil
	}
	for _, i := range d.instances {
		i.gone = true
		if len(i.running) == 0 {
			idle = append(idle, i)
		}
	}
	return idle
}
