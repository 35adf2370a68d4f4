/** Which page is at which address. Each is fetched when somebody goes there. */

import { createRouter, createWebHistory } from 'vue-router'

import { say } from '@/ui/messages'

declare module 'vue-router' {
  interface RouteMeta {
    /** For the title of the window. */
    readonly title: string
    /** The entry of the navigation that it belongs to. */
    readonly place?: string
  }
}

const NUMBER = '(\\d+)'
const byId = ({ params }: { params: Record<string, string | string[]> }): { id: number } => ({ id: Number(params.id) })

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', name: 'home', component: () => import('@/home/HomePage.vue'), meta: { title: 'Stockweb' } },
    {
      path: '/parts',
      name: 'parts',
      component: () => import('@/parts/PartsPage.vue'),
      meta: { title: 'Parts', place: 'parts' },
    },
    {
      path: '/parts/new',
      name: 'new-part',
      component: () => import('@/parts/PartForm.vue'),
      meta: { title: 'New part', place: 'parts' },
    },
    {
      path: `/parts/:id${NUMBER}`,
      name: 'part',
      component: () => import('@/parts/PartPage.vue'),
      props: byId,
      meta: { title: 'Part', place: 'parts' },
    },
    {
      path: `/parts/:id${NUMBER}/edit`,
      name: 'edit-part',
      component: () => import('@/parts/PartForm.vue'),
      props: byId,
      meta: { title: 'Edit', place: 'parts' },
    },
    {
      path: '/find',
      name: 'find',
      component: () => import('@/find/FindPage.vue'),
      meta: { title: 'Find', place: 'find' },
    },
    {
      path: '/boxes',
      name: 'boxes',
      component: () => import('@/boxes/BoxesPage.vue'),
      meta: { title: 'Boxes', place: 'boxes' },
    },
    {
      path: '/boxes/:code',
      name: 'box',
      component: () => import('@/boxes/BoxPage.vue'),
      props: true,
      meta: { title: 'Box', place: 'boxes' },
    },
    {
      path: '/low',
      name: 'low',
      component: () => import('@/home/LowPage.vue'),
      meta: { title: 'Low stock', place: 'low' },
    },
    {
      path: '/history',
      name: 'history',
      component: () => import('@/movements/HistoryPage.vue'),
      meta: { title: 'History', place: 'history' },
    },
    {
      path: '/labels',
      name: 'labels',
      component: () => import('@/labels/LabelsPage.vue'),
      meta: { title: 'Labels', place: 'labels' },
    },
    {
      path: '/scan',
      name: 'scan',
      component: () => import('@/labels/ScanPage.vue'),
      meta: { title: 'Scan', place: 'scan' },
    },
    { path: '/login', name: 'login', component: () => import('@/people/LoginPage.vue'), meta: { title: 'Log in' } },
    {
      path: '/forgotten',
      name: 'forgotten',
      component: () => import('@/people/ForgottenPage.vue'),
      meta: { title: 'A new password' },
    },
    {
      path: '/set-password/:secret',
      name: 'set-password',
      component: () => import('@/people/SetPasswordPage.vue'),
      props: true,
      meta: { title: 'Set a password' },
    },
    {
      path: '/account',
      name: 'account',
      component: () => import('@/people/AccountPage.vue'),
      meta: { title: 'Account' },
    },
    { path: '/people', name: 'people', component: () => import('@/people/PeoplePage.vue'), meta: { title: 'People' } },
    {
      path: '/projects',
      name: 'projects',
      component: () => import('@/projects/ProjectsPage.vue'),
      meta: { title: 'Projects', place: 'projects' },
    },
    {
      path: `/projects/:id${NUMBER}`,
      name: 'project',
      component: () => import('@/projects/ProjectPage.vue'),
      props: byId,
      meta: { title: 'Project', place: 'projects' },
    },
    {
      path: '/shopping',
      name: 'shopping',
      component: () => import('@/shopping/ShoppingPage.vue'),
      meta: { title: 'What to buy', place: 'shopping' },
    },
    {
      path: '/imports',
      name: 'imports',
      component: () => import('@/files/ImportPage.vue'),
      meta: { title: 'Import', place: 'imports' },
    },
    // What labels say.
    { path: '/b/:code', redirect: ({ params }) => ({ name: 'box', params: { code: params.code as string } }) },
    { path: `/p/:id${NUMBER}`, redirect: ({ params }) => ({ name: 'part', params: { id: params.id as string } }) },
    {
      path: '/:rest(.*)',
      name: 'nowhere',
      component: () => import('./NowherePage.vue'),
      meta: { title: 'Nothing here' },
    },
  ],
})

router.afterEach((to) => {
  document.title = to.name === 'home' ? 'Stockweb' : `${to.meta.title} · Stockweb`
})

/** A release that came meanwhile may have taken this build's pages away; the new one has them under other names. */
router.onError((error, to) => {
  if (!/dynamically imported module|module script failed/i.test(String(error))) throw error
  if (sessionStorage.getItem('reloaded') === to.fullPath) {
    say('This page cannot be fetched. Is there a network?', 'refused')
    return
  }
  sessionStorage.setItem('reloaded', to.fullPath)
  location.assign(to.fullPath)
})
